"""The company that a customer orders for, to which his invoices are made out."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter
from pydantic import StringConstraints

from api.answer import Answer
from api.bodies import Body, Label
from api.deps import PartsDep, granted
from api.description import WITH_BODY, WITH_STORE, WITH_TOKEN, answers
from api.errors import Refused
from api.json_answer import Json
from engine.identity.access import Permission
from engine.invoices.buyer import NO_COMPANY, NO_STANDARD_INVOICES, Buyer
from engine.invoices.invoice import Party
from engine.invoices.onboarding import Documents
from engine.kernel.messages import Caller

router = APIRouter(prefix="/v1/company", tags=["invoices"])
Customer = Annotated[Caller, granted(Permission.PAY)]


class CompanyBody(Body):
    """A company as the tax authority knows it, with its national address."""

    name_ar: Label
    name_en: Label
    vat_number: Annotated[str, StringConstraints(pattern=r"^3\d{13}3$")]
    registration: Annotated[str, StringConstraints(pattern=r"^\d{10}$")]
    street: Label
    building: Annotated[str, StringConstraints(pattern=r"^\d{4}$")]
    district: Label
    city: Label
    postal_code: Annotated[str, StringConstraints(pattern=r"^\d{5}$")]


class CompanyShown(Answer):
    """To whom a customer's invoices are made out, since when he said so."""

    name_ar: str
    name_en: str
    vat_number: str
    registration: str
    street: str
    building: str
    district: str
    city: str
    postal_code: str
    made_at: int


@router.get("", responses=answers(200, CompanyShown, *WITH_TOKEN, *WITH_STORE, NO_COMPANY))
async def get_company(customer: Customer, parts: PartsDep) -> Json:
    """To which company the caller's invoices are made out."""
    return Json(_shown(await _kept(customer, parts)))


@router.put(
    "",
    responses=answers(
        200, CompanyShown, *WITH_BODY, *WITH_TOKEN, *WITH_STORE, NO_STANDARD_INVOICES
    ),
)
async def put_company(body: CompanyBody, customer: Customer, parts: PartsDep) -> Json:
    """Order for this company: orders that end from now on have standard invoices, made out to it.

    A note goes to whom its invoice went to.
    """
    if parts.settings.invoices.documents is Documents.SIMPLIFIED:
        raise Refused(NO_STANDARD_INVOICES())
    buyer = Buyer(
        customer_id=customer.user_id, party=Party(**body.model_dump()), made_at=parts.wall.now()
    )
    await parts.invoices.save_buyer(buyer)
    return Json(_shown(buyer))


@router.delete("", responses=answers(200, CompanyShown, *WITH_TOKEN, *WITH_STORE, NO_COMPANY))
async def forget_company(customer: Customer, parts: PartsDep) -> Json:
    """Order for oneself again, with simplified invoices; the answer is what was forgotten."""
    buyer = await _kept(customer, parts)
    await parts.invoices.forget_buyer(customer.user_id)
    return Json(_shown(buyer))


async def _kept(customer: Caller, parts: PartsDep) -> Buyer:
    buyer = await parts.invoices.find_buyer(customer.user_id)
    if buyer is None:
        raise Refused(NO_COMPANY())
    return buyer


def _shown(buyer: Buyer) -> dict[str, Any]:
    return {**msgspec.to_builtins(buyer.party), "made_at": buyer.made_at}
