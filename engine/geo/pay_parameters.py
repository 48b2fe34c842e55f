"""The parameters by which a zone's couriers are paid: the pay rules, versioned with the others."""

from typing import Annotated

from engine.geo.dispatch_parameters import DispatchParameters, whole


class PayParameters(DispatchParameters, frozen=True, kw_only=True):
    """What a courier earns; an order keeps the rules of the version in which it began to wait."""

    pay_base_halalas: Annotated[
        int,
        whole(
            0,
            1_000_000,
            "halalas",
            "Pay of a delivery: base.",
            "Higher draws couriers and costs more for each order.",
        ),
    ] = 900
    pay_per_km_halalas: Annotated[
        int,
        whole(
            0,
            100_000,
            "halalas per km",
            "Pay of a delivery: each begun kilometre from shop to door.",
            "Higher makes long ways worth taking.",
        ),
    ] = 100
    pay_car_halalas: Annotated[
        int,
        whole(
            0,
            1_000_000,
            "halalas",
            "Added for a gift that only a car may carry.",
            "Higher draws cars.",
        ),
    ] = 300
    pay_bonus_halalas: Annotated[
        int,
        whole(
            0,
            1_000_000,
            "halalas",
            "Added to every delivery while this version acts: a campaign.",
            "Higher draws couriers at hours when they are scarce.",
        ),
    ] = 0
    pay_wait_free_s: Annotated[
        int,
        whole(
            0,
            7200,
            "s",
            "Waiting in the shop that is not paid, for each order.",
            "Longer pays for fewer waits.",
        ),
    ] = 300
    pay_wait_per_min_halalas: Annotated[
        int,
        whole(
            0,
            10_000,
            "halalas per minute",
            "Pay of each whole minute of waiting in the shop beyond that.",
            "Higher makes slow shops bearable, and slow pick-ups worth while.",
        ),
    ] = 30
    pay_wait_max_halalas: Annotated[
        int,
        whole(
            0,
            1_000_000,
            "halalas",
            "The most that waiting for one order is paid.",
            "Higher pays long waits in full.",
        ),
    ] = 1500
    pay_returned_percent: Annotated[
        int,
        whole(
            0,
            300,
            "% of the pay",
            "Pay of a gift that was brought back to the shop, waiting aside.",
            "Above 100 the way back is paid, too.",
        ),
    ] = 150
    pay_cancelled_percent: Annotated[
        int,
        whole(
            0,
            100,
            "% of the pay",
            "Pay of an order that is cancelled when a courier has taken it.",
            "Higher is kinder to who set out in vain.",
        ),
    ] = 40
    pay_guarantee_per_h_halalas: Annotated[
        int,
        whole(
            0,
            100_000,
            "halalas per hour",
            "The least that an hour with orders comes to, over a shift; 0 guarantees nothing.",
            "Higher makes up for slow trips.",
        ),
    ] = 0
