"""Which proof a handover needs: one table, read with what the order says."""

from collections.abc import Mapping
from typing import Final

from engine.kernel.place import distance_m
from engine.kernel.refusals import Refusal, RefusalKind, declare
from engine.kernel.timing import Instant
from engine.orders.handover import HandedTo, Handover, HandoverTold, ProofKind
from engine.orders.order import Order

K = ProofKind
# From this value of its goods on, VAT included, more is asked for.
VALUABLE_HALALAS: Final = 100_000
# To whom, whether it is valuable: what must show it. A photo is asked for where it may be taken.
NEEDED: Final[Mapping[tuple[HandedTo, bool], tuple[ProofKind, ...]]] = {
    (HandedTo.RECIPIENT, False): (K.PIN,),
    (HandedTo.RECIPIENT, True): (K.PIN, K.NAME, K.SIGNATURE),
    (HandedTo.NEIGHBOUR, False): (K.NAME, K.PHOTO),
    (HandedTo.NEIGHBOUR, True): (K.NAME, K.SIGNATURE, K.PHOTO),
}

PROOF_MISSING = declare(
    "proof_missing",
    RefusalKind.INVALID,
    en="More is needed to show that this gift was handed over. See what is missing.",
    ar="يلزم إثبات إضافي لتسليم هذه الهدية. راجع ما ينقص.",
)
NO_PHOTO_CONSENT = declare(
    "no_photo_consent",
    RefusalKind.INVALID,
    en="No photo may be taken of this delivery. Ask for a signature instead.",
    ar="لا يُسمح بالتصوير عند تسليم هذه الهدية. اطلب توقيعًا بدلًا من ذلك.",
)
NO_NEIGHBOUR = declare(
    "no_neighbour",
    RefusalKind.INVALID,
    en="The sender named nobody next door who may take this gift.",
    ar="لم يحدد المُهدي جارًا يمكنه استلام هذه الهدية.",
)
NOT_HANDED_OVER = declare(
    "not_handed_over",
    RefusalKind.NOT_FOUND,
    en="This order has not been handed over, so there is no proof of it.",
    ar="لم يُسلَّم هذا الطلب بعد، لذا لا يوجد إثبات تسليم.",
)


def needed(order: Order, to: HandedTo) -> tuple[ProofKind, ...]:
    """What must show a handover to such a person; a signature where no photo may be taken."""
    wanted = NEEDED[to, order.goods_halalas >= VALUABLE_HALALAS]
    if order.gift.photo_consent:
        return wanted
    return tuple(dict.fromkeys(K.SIGNATURE if one is K.PHOTO else one for one in wanted))


def choices(order: Order) -> dict[str, list[str]]:
    """To whom this gift may be handed, and what each needs."""
    takers = [HandedTo.RECIPIENT, *([HandedTo.NEIGHBOUR] if order.gift.neighbour else [])]
    return {to.value: [kind.value for kind in needed(order, to)] for to in takers}


def objection(order: Order, told: HandoverTold) -> Refusal | None:
    """Why this is no handover of this order; whether the PIN is right is asked later."""
    if told.to is HandedTo.NEIGHBOUR and not order.gift.neighbour:
        return NO_NEIGHBOUR()
    if told.photo and not order.gift.photo_consent:
        return NO_PHOTO_CONSENT()
    shown = {K.PIN, *_shown(told)}
    missing = [kind.value for kind in needed(order, told.to) if kind not in shown]
    return PROOF_MISSING(missing=missing) if missing else None


def needs_pin(order: Order, told: HandoverTold) -> bool:
    """Whether it must be known; a neighbour does not know it."""
    return K.PIN in needed(order, told.to)


def hand_over(
    order: Order, told: HandoverTold, *, device_at: Instant | None, now: Instant
) -> Handover:
    """What is kept of a handover to which there is no objection; its PIN was right, if needed."""
    pin = (K.PIN,) if needs_pin(order, told) else ()
    far = None if told.point is None else round(distance_m(told.point, order.door.point), 1)
    return Handover(
        told=told, proved_by=(*pin, *_shown(told)), distance_m=far, at=now, device_at=device_at
    )


def _shown(told: HandoverTold) -> tuple[ProofKind, ...]:
    given = ((K.NAME, told.taken_by), (K.SIGNATURE, told.signature), (K.PHOTO, told.photo))
    return tuple(kind for kind, what in given if what)
