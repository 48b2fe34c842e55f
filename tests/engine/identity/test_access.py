"""What must hold of who may send what."""

import importlib
import pkgutil
from typing import Any, Final

import pytest

import engine
from engine.couriers.courier import ProgressStep
from engine.couriers.messages import (
    AcceptOffer,
    AcknowledgeOffer,
    BeginBreak,
    BeginShift,
    DeclineOffer,
    EndBreak,
    EndLoan,
    EndShift,
    EndWayToWait,
    ExpireOffer,
    FinishBreak,
    GoOffDuty,
    GoOnDuty,
    HandOver,
    LendCouriers,
    ReachWaitingPoint,
    ReportProgress,
    TakeBreak,
    Welcome,
)
from engine.geo.moving import MoveZone, TakeOverZone
from engine.geo.parameters import ZoneParameters
from engine.geo.shops import ChangeZoneShops
from engine.geo.travel import VehicleKind
from engine.geo.zone import (
    ChangeZoneParameters,
    CreateZone,
    PutParametersInForce,
    RevertZoneParameters,
)
from engine.identity.access import GRANTS, SENDABLE, Permission, may, may_send
from engine.kernel.ids import CellId, CourierId, OfferId, OrderId, UserId, ZoneId
from engine.kernel.messages import SYSTEM_CALLER, Caller, Command, Role
from engine.money.cash import DepositCash, KeepBackCash, Receipt
from engine.orders.messages import (
    CancelOrder,
    CancelReason,
    ChangeOrder,
    PlaceOrders,
    ReleaseOrder,
    UnassignOrder,
)
from tests.builders import NOON, SHOP, a_placing, a_zone, new_id

for module in pkgutil.walk_packages(engine.__path__, "engine."):
    importlib.import_module(module.name)

ME, ANOTHER = UserId(new_id()), UserId(new_id())
ORDER, OFFER, ZONE = OrderId(new_id()), OfferId(new_id()), ZoneId(new_id())
CUSTOMER, COURIER, OPERATOR = Role.CUSTOMER, Role.COURIER, Role.OPERATOR


def of_courier(courier_id: CourierId) -> list[Command]:
    return [
        GoOnDuty(
            courier_id=courier_id,
            zone_id=ZONE,
            name="Salem",
            vehicle=VehicleKind.CAR,
            capacity_units=1,
            point=SHOP,
        ),
        GoOffDuty(courier_id=courier_id),
        TakeBreak(courier_id=courier_id),
        EndBreak(courier_id=courier_id),
        AcknowledgeOffer(courier_id=courier_id, offer_id=OFFER),
        AcceptOffer(courier_id=courier_id, offer_id=OFFER),
        DeclineOffer(courier_id=courier_id, offer_id=OFFER, reason=""),
        ReportProgress(courier_id=courier_id, order_id=ORDER, step=ProgressStep.DELIVERED),
        ReachWaitingPoint(courier_id=courier_id),
    ]


def of_operator(author: UserId) -> list[Command]:
    parameters: dict[str, Any] = {"parameters": ZoneParameters(), "author": author, "zone_id": ZONE}
    return [
        CreateZone(name_en="", name_ar="", anchor=CellId(""), cells=(), **parameters),
        ChangeZoneParameters(reason="", effective_at=NOON, after_version=1, **parameters),
        ChangeZoneShops(zone_id=ZONE, shops=(), author=author),
        MoveZone(zone_id=ZONE, cell=CellId(""), author=author),
    ]


DEPOSIT: Final = DepositCash(courier_id=ANOTHER, halalas=1, receipt=Receipt("A-1"))


OF_CLOCK: Final[list[Command]] = [
    ReleaseOrder(order_id=ORDER),
    BeginShift(courier_id=ME),
    BeginBreak(courier_id=ME),
    FinishBreak(courier_id=ME),
    EndShift(courier_id=ME),
    EndWayToWait(courier_id=ME),
    ExpireOffer(offer_id=OFFER),
    PutParametersInForce(zone_id=ZONE),
    RevertZoneParameters(zone_id=ZONE, parameters_version=1, breach=""),
    KeepBackCash(courier_id=ME, cause="", halalas_max=1, at=NOON),
    # What is said between cells, by the bus.
    HandOver(courier_id=ME, zone_id=ZONE, point=SHOP),
    Welcome(courier_id=ME),
    LendCouriers(zone_id=ZONE, to_zone_id=ZONE, shops=(), travel_s_max=0, ends_at=NOON),
    EndLoan(courier_id=ME),
    TakeOverZone(zone_id=ZONE),
]
PLACING: Final = a_placing(a_zone())
CANCELLING: Final = CancelOrder(order_id=ORDER, reason=CancelReason.OTHER)
CHANGING: Final = ChangeOrder(
    order_id=ORDER, quote=PLACING.quote, former=PLACING.quote, door=PLACING.door
)
GIVING_BACK: Final = UnassignOrder(order_id=ORDER, reason="")
WHO_MAY: Final[list[tuple[Command, set[Role]]]] = [
    (PLACING, {CUSTOMER, OPERATOR}),
    (PlaceOrders(zone_id=ZONE, orders=(PLACING,)), {CUSTOMER}),
    (CANCELLING, {CUSTOMER, OPERATOR}),
    (CHANGING, {CUSTOMER, OPERATOR}),
    (GIVING_BACK, {COURIER, OPERATOR}),
    *((one, {COURIER}) for one in of_courier(ME)),
    *(
        (one, {OPERATOR, Role.ADMIN} if isinstance(one, MoveZone) else {OPERATOR})
        for one in of_operator(ME)
    ),
    (DEPOSIT, {OPERATOR}),
    *((one, set()) for one in OF_CLOCK),
]


@pytest.mark.parametrize(("command", "roles"), WHO_MAY, ids=lambda one: type(one).__name__)
def test_each_role_may_send_its_own_commands_only(command: Command, roles: set[Role]) -> None:
    may = {role for role in Role if may_send(Caller(user_id=ME, role=role), command)}
    assert may == roles
    assert not may_send(SYSTEM_CALLER, command)


def test_every_command_is_either_allowed_to_somebody_or_said_by_the_clock() -> None:
    commands = {one for one in Command.__subclasses__() if one.__module__.startswith("engine.")}
    assert {type(one) for one, _ in WHO_MAY} == commands
    assert commands - {type(one) for one in OF_CLOCK} == SENDABLE


@pytest.mark.parametrize("command", of_courier(ANOTHER), ids=lambda one: type(one).__name__)
def test_a_courier_speaks_for_himself_only(command: Command) -> None:
    assert not may_send(Caller(user_id=ME, role=COURIER), command)


@pytest.mark.parametrize("command", of_operator(ANOTHER), ids=lambda one: type(one).__name__)
def test_an_operator_signs_with_his_own_name(command: Command) -> None:
    assert not may_send(Caller(user_id=ME, role=OPERATOR), command)


def test_every_permission_is_granted_to_somebody_and_none_to_the_clock() -> None:
    assert {one for one in GRANTS if isinstance(one, Permission)} == set(Permission)
    for deed, grant in GRANTS.items():
        assert grant.roles, deed
        assert Role.SYSTEM not in grant.roles, deed


@pytest.mark.parametrize("deed", [deed for deed, grant in GRANTS.items() if grant.everywhere])
def test_what_concerns_every_zone_is_not_for_who_is_limited(deed: Any) -> None:
    for role in GRANTS[deed].roles:
        assert may(Caller(user_id=ME, role=role), deed)
        assert not may(Caller(user_id=ME, role=role, zones=(ZONE,)), deed)


def test_an_admin_looks_after_people_and_touches_no_order() -> None:
    admin = Caller(user_id=ME, role=Role.ADMIN)
    assert {command for command in SENDABLE if may(admin, command)} == {MoveZone}
    assert may(admin, Permission.LIMIT_STAFF)
    assert not may(admin, Permission.SEE_ORDER)
