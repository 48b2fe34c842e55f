"""The parameters by which a zone seeks, asks, bundles, plans and sends couriers to wait."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct


class OfferMode(StrEnum):
    """How the couriers who could take a trip are asked."""

    DIRECT = "direct"
    RANKED = "ranked"
    BROADCAST = "broadcast"


def whole(low: int, high: int, unit: str, about: str, effect: str) -> Meta:
    """The bounds of a whole number, what it is, and what turning it up does."""
    extra = {"unit": unit, "about": about, "effect": effect}
    return Meta(ge=low, le=high, description=f"{about} {effect}", extra=extra)


def choice(about: str, effect: str) -> Meta:
    """What can be chosen among the values of a type, and what that does."""
    extra = {"unit": "", "about": about, "effect": effect}
    return Meta(description=f"{about} {effect}", extra=extra)


class DispatchParameters(Struct, frozen=True, kw_only=True):
    """The half of a zone's parameters that is about who is asked for which orders."""

    tick_s: Annotated[
        int,
        whole(
            1,
            600,
            "s",
            "Time between two dispatch decisions.",
            "Longer gathers more orders for one decision, but each waits longer for it.",
        ),
    ] = 2
    approach_s_max: Annotated[
        int,
        whole(
            60,
            7200,
            "s",
            "The longest way to the shop of a courier who is asked.",
            "Wider finds somebody for more orders, from farther away.",
        ),
    ] = 1800
    search_start_s: Annotated[
        int,
        whole(
            60,
            7200,
            "s",
            "The longest way to the shop for an order that has just begun to wait.",
            "Below `approach_s_max` the first couriers asked are near ones, and others follow as "
            "the order waits.",
        ),
    ] = 7200
    search_every_s: Annotated[
        int,
        whole(
            10,
            3600,
            "s",
            "After each such time of waiting the search becomes wider.",
            "Longer keeps the search near for longer.",
        ),
    ] = 60
    search_widen_s: Annotated[
        int,
        whole(
            0,
            7200,
            "s",
            "By how much the search becomes wider, up to `approach_s_max`.",
            "More reaches far couriers sooner; 0 never widens.",
        ),
    ] = 300
    candidates_max: Annotated[
        int,
        whole(
            1,
            200,
            "couriers",
            "Couriers considered for one order, soonest first.",
            "More finds better plans and takes longer to think.",
        ),
    ] = 25
    commit_lead_s: Annotated[
        int,
        whole(
            0,
            3600,
            "s",
            "A trip is offered when its courier must leave within this time.",
            "Earlier gives couriers notice; later is a better informed choice.",
        ),
    ] = 120
    offer_mode: Annotated[
        OfferMode,
        choice(
            "How couriers are asked: `direct` asks the planned one, `ranked` asks the next best "
            "at once when he does not take it, `broadcast` asks several at the same moment.",
            "A ranked round loses no time after a no; a broadcast is taken soonest, by whoever is "
            "quickest and not by whom the plan would choose.",
        ),
    ] = OfferMode.DIRECT
    asked_max: Annotated[
        int,
        whole(
            1,
            20,
            "couriers",
            "Couriers asked about one trip before it is planned anew: one after the other in a "
            "ranked round, together in a broadcast.",
            "More finds a taker sooner; in a broadcast more phones ring in vain, and who is asked "
            "is not free for another trip meanwhile.",
        ),
    ] = 5
    offer_timeout_s: Annotated[
        int,
        whole(
            5,
            1800,
            "s",
            "The time that a courier has to answer an offer.",
            "Longer is kinder to couriers, and an offer that nobody sees costs more.",
        ),
    ] = 45
    offer_again_s: Annotated[
        int,
        whole(
            0,
            7200,
            "s",
            "Until a courier who let an offer expire is asked about that order again.",
            "Longer spares phones that lie in a pocket, and leaves fewer to ask.",
        ),
    ] = 300
    bundle_size_max: Annotated[
        int,
        whole(
            1,
            8,
            "orders",
            "Orders that one trip may carry, of one shop or of neighbouring ones.",
            "More saves driving, and orders wait for each other.",
        ),
    ] = 3
    shops_apart_m_max: Annotated[
        int,
        whole(
            0,
            2000,
            "m",
            "How far apart, as the crow flies, shops are at most that one trip may fetch from.",
            "Farther lets more orders share a trip, of which each shop takes its own time; 0 keeps "
            "every trip to one shop.",
        ),
    ] = 0
    bundle_extra_s: Annotated[
        int,
        whole(
            0,
            3600,
            "s",
            "How much later an order may arrive because it shares a trip.",
            "More allows more bundles, each a little later.",
        ),
    ] = 600
    revise_until_pickup: Annotated[
        int,
        whole(
            0,
            1,
            "0 or 1",
            "Whether the orders on an accepted trip may be exchanged, added to and taken off until "
            "the courier has picked up.",
            "1 lets a trip take what has come since; 0 leaves it as it was accepted.",
        ),
    ] = 1
    trips_max: Annotated[
        int,
        whole(
            1,
            6,
            "trips",
            "Trips planned ahead for one courier.",
            "More looks further ahead and takes longer to think.",
        ),
    ] = 3
    search_rounds_per_order: Annotated[
        int,
        whole(
            0,
            200,
            "rounds per order",
            "Rounds of improving a plan for each order in it; 0 leaves it as it was first filled.",
            "More finds better plans when couriers are scarce and takes longer to think.",
        ),
    ] = 20
    search_rounds_max: Annotated[
        int,
        whole(
            0,
            20_000,
            "rounds",
            "Rounds of improving a plan at most, whatever the number of orders.",
            "More finds better plans at the busiest hours and takes longer to think.",
        ),
    ] = 1000
    lateness_weight: Annotated[
        int,
        whole(
            0,
            100,
            "cost per s",
            "Cost of time after the promised one.",
            "Higher keeps promises at the price of longer ways.",
        ),
    ] = 2
    waiting_weight: Annotated[
        int,
        whole(
            0,
            100,
            "cost per s",
            "Cost of being later than the earliest possible.",
            "Higher is quicker for everybody, promise or not.",
        ),
    ] = 4
    travel_weight: Annotated[
        int,
        whole(
            0,
            100,
            "cost per s",
            "Cost of time on the road.",
            "Higher saves distance and is less punctual.",
        ),
    ] = 1
    idle_weight: Annotated[
        int,
        whole(
            0,
            100,
            "cost per min",
            "Favour for the courier idle longest.",
            "Higher shares work more evenly at the price of longer ways.",
        ),
    ] = 1
    shift_end_idle_percent: Annotated[
        int,
        whole(
            0,
            1000,
            "%",
            "Percent of an idle minute that a minute counts by which his shift ends sooner, in its "
            "last hour.",
            "Higher gives the last orders to those who stop soon, and keeps the others for what "
            "comes.",
        ),
    ] = 0
    time_price_percent: Annotated[
        int,
        whole(
            0,
            200,
            "%",
            "Percent of what a courier's time is worth to expected orders that a plan counts as "
            "cost.",
            "Higher has busy zones carry more together and go less far, so that more couriers are "
            "left for what comes; quiet zones do not change.",
        ),
    ] = 0
    stability_weight: Annotated[
        int,
        whole(
            0,
            100_000,
            "cost",
            "Cost of planning an order for another courier than before.",
            "Higher keeps plans from churning and reacts less to news.",
        ),
    ] = 30
    wait_moves_max: Annotated[
        int,
        whole(
            0,
            20,
            "couriers",
            "Idle couriers sent to wait near expected demand in one tick.",
            "More are nearer to the next orders and drive more; 0 sends nobody.",
        ),
    ] = 0
    wait_gain_min: Annotated[
        int,
        whole(
            0,
            3600,
            "s",
            "Expected waiting in shops that sending a courier must save.",
            "Higher means fewer and surer moves.",
        ),
    ] = 60
    wait_travel_s_max: Annotated[
        int,
        whole(
            0,
            3600,
            "s",
            "Travel time to where a courier may be sent to wait.",
            "Longer finds better places farther away.",
        ),
    ] = 900
    wait_by_hops: Annotated[
        int,
        whole(
            0,
            1,
            "0 or 1",
            "Whether who is sent to wait goes there from shop to shop, and is told of each anew.",
            "1 lets him be given something else at every shop on his way; 0 sends him all the way.",
        ),
    ] = 0
    leave_early_s: Annotated[
        int,
        whole(
            0,
            3600,
            "s",
            "How long before he must leave for a planned trip an idle courier goes nearer to its "
            "shop, from shop to shop, before he is asked.",
            "Longer has couriers stand at shops, where plans may still change, and has them drive "
            "more; 0 lets them wait where they are until they must leave.",
        ),
    ] = 0
    demand_memory_s: Annotated[
        int,
        whole(
            300,
            86_400,
            "s",
            "How long an order counts in a shop's expected demand: its weight fades to a third in "
            "this time.",
            "Longer is steadier and slower to follow the day.",
        ),
    ] = 3600
