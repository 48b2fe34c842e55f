"""The parameters of a zone: typed, bounded, each with its unit and what it does."""

from typing import Annotated, Any, Final, get_args, get_type_hints

from msgspec import Meta, Struct

from engine.geo.travel import TravelProfile


class ZoneParameters(Struct, frozen=True, kw_only=True):
    """What an operator may turn. Every field carries its bounds and its meaning."""

    tick_s: Annotated[
        int, Meta(ge=1, le=600, description="Seconds between two dispatch decisions.")
    ] = 2
    approach_s_max: Annotated[
        int,
        Meta(
            ge=60,
            le=7200,
            description="A courier further than this from the shop (seconds of travel) is not "
            "asked.",
        ),
    ] = 1800
    candidates_max: Annotated[
        int, Meta(ge=1, le=200, description="Couriers considered for one order, nearest first.")
    ] = 25
    commit_lead_s: Annotated[
        int,
        Meta(
            ge=0,
            le=3600,
            description="Offer a trip when its courier must leave within this many seconds; later "
            "means a better informed choice, earlier gives couriers notice.",
        ),
    ] = 120
    offer_timeout_s: Annotated[
        int, Meta(ge=5, le=1800, description="Seconds a courier has to answer an offer.")
    ] = 45
    offer_again_s: Annotated[
        int,
        Meta(
            ge=0,
            le=7200,
            description="Seconds before a courier who let an offer expire is asked about that "
            "order again.",
        ),
    ] = 300
    bundle_size_max: Annotated[
        int, Meta(ge=1, le=8, description="Orders of one shop that one trip may carry.")
    ] = 3
    bundle_extra_s: Annotated[
        int,
        Meta(
            ge=0,
            le=3600,
            description="How much later an order may arrive because it shares a trip.",
        ),
    ] = 600
    revise_until_pickup: Annotated[
        int,
        Meta(
            ge=0,
            le=1,
            description="1: until a courier has picked up, the orders of that shop on his trip may "
            "be exchanged, added to and taken off; 0: an accepted trip stays as it is.",
        ),
    ] = 1
    trips_max: Annotated[
        int, Meta(ge=1, le=6, description="Trips planned ahead for one courier.")
    ] = 3
    lateness_weight: Annotated[
        int, Meta(ge=0, le=100, description="Cost of a second after the promised time.")
    ] = 2
    waiting_weight: Annotated[
        int,
        Meta(ge=0, le=100, description="Cost of a second later than the earliest possible."),
    ] = 4
    travel_weight: Annotated[
        int, Meta(ge=0, le=100, description="Cost of a second on the road.")
    ] = 1
    idle_weight: Annotated[
        int,
        Meta(
            ge=0,
            le=100,
            description="Favour for the courier idle longest, in cost per minute idle.",
        ),
    ] = 1
    stability_weight: Annotated[
        int,
        Meta(ge=0, le=100_000, description="Cost of planning an order for another courier again."),
    ] = 30
    shop_service_s: Annotated[
        int, Meta(ge=0, le=3600, description="Seconds a courier spends in a shop, per visit.")
    ] = 180
    door_service_s: Annotated[
        int, Meta(ge=0, le=3600, description="Seconds a courier spends at a door.")
    ] = 180
    prep_buffer_s: Annotated[
        int,
        Meta(ge=0, le=3600, description="Added to a shop's own estimate of when a gift is ready."),
    ] = 0
    promised_s: Annotated[
        int, Meta(ge=600, le=86_400, description="Promised time from click to door.")
    ] = 3600
    promise_slack_s: Annotated[
        int,
        Meta(
            ge=0,
            le=7200,
            description="At least this much more than the bare minimum is promised.",
        ),
    ] = 900
    schedule_lead_s: Annotated[
        int,
        Meta(
            ge=0,
            le=86_400,
            description="A scheduled order joins the waiting ones this long before its latest "
            "pick-up.",
        ),
    ] = 1800
    schedule_crew: Annotated[
        int,
        Meta(
            ge=0,
            le=200,
            description="Couriers expected on duty when scheduled gifts are carried, if fewer are "
            "now; more of them let more gifts be fetched at the same time.",
        ),
    ] = 10
    fee_base_halalas: Annotated[
        int, Meta(ge=0, le=1_000_000, description="Delivery fee without VAT: base.")
    ] = 1500
    fee_per_km_halalas: Annotated[
        int, Meta(ge=0, le=100_000, description="Delivery fee without VAT: each begun kilometre.")
    ] = 100
    pin_tries_max: Annotated[
        int, Meta(ge=1, le=20, description="Wrong PINs at the door before the order is locked.")
    ] = 5
    travel: TravelProfile = TravelProfile()

    @property
    def shop_leave_s(self) -> int:
        """The part of the time in a shop that comes after the gift was handed over: half of it."""
        return self.shop_service_s - self.shop_service_s // 2

    @property
    def door_leave_s(self) -> int:
        """The part of the time at a door that comes after the gift was handed over: half of it."""
        return self.door_service_s - self.door_service_s // 2


_HINTS: Final[dict[str, Any]] = get_type_hints(ZoneParameters, include_extras=True)


def bounds_of(name: str) -> Meta | None:
    """The declared bounds and description of a parameter."""
    return next((one for one in get_args(_HINTS[name]) if isinstance(one, Meta)), None)


def faults_in(parameters: ZoneParameters) -> list[str]:
    """The names of the parameters that are out of bounds, each with its bounds."""
    faults = []
    for name in ZoneParameters.__struct_fields__:
        meta = bounds_of(name)
        if meta is None:
            continue
        value = getattr(parameters, name)
        assert meta.ge is not None
        assert meta.le is not None
        if not meta.ge <= value <= meta.le:
            faults.append(f"{name} must be {meta.ge} to {meta.le}")
    return [*faults, *parameters.travel.faults()]
