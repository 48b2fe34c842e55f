"""The parameters of a zone: typed, bounded, each with its unit and the effect to expect."""

from typing import Annotated, Final

from engine.geo.dispatch_parameters import whole
from engine.geo.loan_parameters import LoanParameters
from engine.geo.travel import TravelProfile

# Far above what one courier should carry, and within the ledger's own floor for what he holds.
CASH_PARAMETER_MAX: Final = 500_000


class ZoneParameters(LoanParameters, frozen=True, kw_only=True):
    """What an operator may turn. Every field carries its bounds and its meaning."""

    shop_service_s: Annotated[
        int,
        whole(
            0,
            3600,
            "s",
            "Time that a courier spends in a shop, per visit.",
            "As measured: too short is late at doors, too long wastes couriers.",
        ),
    ] = 180
    door_service_s: Annotated[
        int,
        whole(
            0,
            3600,
            "s",
            "Time that a courier spends at a door.",
            "As measured: too short is late at the next doors.",
        ),
    ] = 180
    prep_buffer_s: Annotated[
        int,
        whole(
            0,
            3600,
            "s",
            "Added to a shop's own estimate of when a gift is ready.",
            "More spares couriers waiting in shops; gifts may stand ready longer.",
        ),
    ] = 0
    promised_s: Annotated[
        int,
        whole(
            600,
            86_400,
            "s",
            "Promised time from click to door.",
            "Shorter sells better and is broken more often.",
        ),
    ] = 3600
    promise_slack_s: Annotated[
        int,
        whole(
            0,
            7200,
            "s",
            "At least this much more than the bare minimum is promised.",
            "More keeps promises over long ways.",
        ),
    ] = 900
    schedule_lead_s: Annotated[
        int,
        whole(
            0,
            86_400,
            "s",
            "A scheduled order joins the waiting ones this long before its latest pick-up.",
            "Earlier finds better bundles and fills the zone with orders that need not leave yet.",
        ),
    ] = 1800
    schedule_crew: Annotated[
        int,
        whole(
            0,
            200,
            "couriers",
            "Couriers expected on duty when scheduled gifts are carried, if fewer are now.",
            "More let more gifts be fetched at the same time.",
        ),
    ] = 10
    fee_base_halalas: Annotated[
        int,
        whole(
            0,
            1_000_000,
            "halalas",
            "Delivery fee without VAT: base.",
            "Higher earns more per order and sells less.",
        ),
    ] = 1500
    fee_per_km_halalas: Annotated[
        int,
        whole(
            0,
            100_000,
            "halalas per km",
            "Delivery fee without VAT: each begun kilometre.",
            "Higher discourages long ways.",
        ),
    ] = 100
    fee_car_percent: Annotated[
        int,
        whole(
            100,
            300,
            "% of the fee",
            "The fee of a gift that only a car may carry.",
            "Higher pays for scarce cars, and turns large gifts away.",
        ),
    ] = 100
    fee_scheduled_percent: Annotated[
        int,
        whole(
            10,
            200,
            "% of the fee",
            "The fee of a gift for a later window, which pays no surge.",
            "Lower moves orders to later windows.",
        ),
    ] = 100
    surge_from_percent: Annotated[
        int,
        whole(
            0,
            10_000,
            "orders per 100 couriers",
            "From this many waiting orders per available courier on the fee rises.",
            "Lower raises it sooner.",
        ),
    ] = 100
    surge_full_percent: Annotated[
        int,
        whole(
            0,
            10_000,
            "orders per 100 couriers",
            "From this many on the fee is raised in full; in between it rises evenly.",
            "Nearer to `surge_from_percent` is more abrupt.",
        ),
    ] = 300
    surge_max_percent: Annotated[
        int,
        whole(
            100,
            500,
            "% of the fee",
            "The fee at full surge; 100 is no surge.",
            "Higher calms demand more, and pleases customers less.",
        ),
    ] = 100
    surge_max_halalas: Annotated[
        int,
        whole(
            0,
            1_000_000,
            "halalas",
            "The most that surge may add to a fee.",
            "Higher lets long ways be raised as much as short ones; 0 is no surge.",
        ),
    ] = 5000
    surge_half_life_s: Annotated[
        int,
        whole(
            0,
            3600,
            "s",
            "How slowly surge follows the zone: half of a change is followed in this time.",
            "Longer is smoother; 0 follows every tick.",
        ),
    ] = 300
    waiting_orders_max: Annotated[
        int,
        whole(
            0,
            100_000,
            "orders",
            "Orders that may wait for a courier; beyond it no order for now is taken.",
            "Lower refuses early what would be late; 0 takes none.",
        ),
    ] = 20_000
    open_orders_max: Annotated[
        int,
        whole(
            0,
            1_000_000,
            "orders",
            "Orders that may be open, scheduled ones included; beyond it none is taken.",
            "Lower protects couriers and promises; 0 takes none.",
        ),
    ] = 200_000
    window_orders_max: Annotated[
        int,
        whole(
            0,
            100_000,
            "orders",
            "Scheduled orders whose windows may overlap; beyond it another window must be chosen.",
            "Lower spreads the day; 0 takes none.",
        ),
    ] = 20_000
    pin_tries_max: Annotated[
        int,
        whole(
            1,
            20,
            "tries",
            "Wrong PINs at the door before the order is locked.",
            "More is kinder to mistakes and to thieves.",
        ),
    ] = 5
    cash_order_halalas_max: Annotated[
        int,
        whole(
            0,
            CASH_PARAMETER_MAX,
            "halalas",
            "What an order may cost, VAT included, to be paid in cash at the door.",
            "Higher lets more be paid so, and puts more of our money at risk; 0 takes no cash.",
        ),
    ] = 0
    cash_held_halalas_max: Annotated[
        int,
        whole(
            0,
            CASH_PARAMETER_MAX,
            "halalas",
            "Cash of ours that a courier may hold, with what he is still to collect.",
            "Lower makes couriers pay in more often, and leaves cash orders fewer couriers.",
        ),
    ] = 100_000
    travel: TravelProfile = TravelProfile()

    @property
    def shop_leave_s(self) -> int:
        """The part of the time in a shop that comes after the gift was handed over: half of it."""
        return self.shop_service_s - self.shop_service_s // 2

    @property
    def door_leave_s(self) -> int:
        """The part of the time at a door that comes after the gift was handed over: half of it."""
        return self.door_service_s - self.door_service_s // 2
