"""What the demo shows is what its people know."""

from io import StringIO

from rich.console import Console

from engine.kernel.place import Place, Point
from engine.orders.order import Gift, Recipient
from simulations.board import Board, ZoneNews
from simulations.city import City
from simulations.day import DayOrder
from simulations.diary import Diary, OrderPage
from simulations.views import ZoneShown
from simulations.virtual import VirtualClock, VirtualLoop, run_virtually

START = 1_767_571_200_000
PLACE = Place(point=Point(lat=24.7, lng=46.7))


def an_order(diary: Diary, key: str, *heard: tuple[str, int]) -> OrderPage:
    page = diary.order(
        DayOrder(
            key=key,
            placed_at=START,
            ready_at=START,
            shop=PLACE,
            door=PLACE,
            gift=Gift(description="x"),
            recipient=Recipient(name="y"),
        )
    )
    page.order_id = key
    for version, (status, second) in enumerate(heard, 1):
        page.hear(version, status, START + second * 1000)
    return page


def test_the_board_counts_orders_couriers_ticks_and_positions() -> None:
    diary, news = Diary(), ZoneNews()
    an_order(diary, "a", ("waiting", 0))
    an_order(diary, "b", ("waiting", 0), ("assigned", 12), ("picked_up", 30))
    an_order(diary, "c", ("waiting", 0), ("assigned", 9), ("delivered", 120))
    for courier in City(1).couriers(3, on_at=START, spread_ms=0):
        diary.courier(courier).doing = "idle"
    news.put(ZoneShown(tick_ms=7.0), is_tick=True)
    news.put(ZoneShown(tick_ms=0.0), is_tick=False)

    async def main(loop: VirtualLoop) -> tuple[Board, str]:
        clock = VirtualClock(loop, starts_at=START)
        board = Board(diary, news, clock, began=START)
        await clock.sleep(240_000)
        diary.positions = 480
        console = Console(width=100, record=True, force_terminal=True, file=StringIO())
        console.print(board.panel())
        return board, console.export_text() + board.line()

    board, text = run_virtually(main)
    look = board.look()
    assert (look.placed, look.waiting, look.assigned, look.on_the_way, look.delivered) == (
        3, 1, 0, 1, 1,
    )  # fmt: skip
    assert look.ages == (4.0, 4.0)
    assert look.click_to_door == (2.0, 2.0)
    assert look.couriers["idle"] == 3
    assert (look.ticks, look.tick_ms) == (1, 7.0)
    assert look.positions_per_s == 2.0
    assert board.first_assigned_s() == 9.0
    assert "waiting" in text
    assert "delivered=1" in text


def test_nothing_is_assigned_in_a_city_that_sleeps() -> None:
    async def main(loop: VirtualLoop) -> Board:
        return Board(Diary(), ZoneNews(), VirtualClock(loop, starts_at=START), began=START)

    board = run_virtually(main)
    assert board.first_assigned_s() is None
    assert board.look().click_to_door == (0.0, 0.0)
