"""The parameters by which a zone borrows couriers from its neighbours, and lends its own."""

from typing import Annotated

from engine.geo.dispatch_parameters import whole
from engine.geo.pay_parameters import PayParameters


class LoanParameters(PayParameters, frozen=True, kw_only=True):
    """How idle couriers pass over a border for a while."""

    loan_couriers_max: Annotated[
        int,
        whole(
            0,
            200,
            "couriers",
            "Couriers that the zone may have from its neighbours at once; 0 borrows none.",
            "More help at peaks, from longer ways.",
        ),
    ] = 0
    loan_wait_s: Annotated[
        int,
        whole(
            0,
            3600,
            "s",
            "An order that has waited for so long, and could be fetched by now, asks neighbours.",
            "Shorter borrows sooner, also where the zone's own would have been free in a moment.",
        ),
    ] = 120
    loan_travel_s_max: Annotated[
        int,
        whole(
            0,
            3600,
            "s",
            "How far from the shop a neighbour's idle courier may be, by what he drives.",
            "Farther finds more couriers, who drive longer for one order.",
        ),
    ] = 900
    loan_s: Annotated[
        int,
        whole(
            60,
            14_400,
            "s",
            "After this time a borrowed courier goes back, once he carries nothing.",
            "Longer saves ways back and forth, and leaves his own zone without him.",
        ),
    ] = 1800
    loan_keep_min: Annotated[
        int,
        whole(
            0,
            200,
            "couriers",
            "Idle couriers that the zone does not lend, besides one for each order that waits.",
            "More keeps the zone's own promises; 200 hardly ever lends.",
        ),
    ] = 2
