"""What our unit signs with and is known by, as the settings say and as it was onboarded."""

import re
from typing import Final

from actors.signing_request import UnitSubject
from actors.stamp import own_stamp, read_stamp
from actors.unit_certificates import UnitCertificates
from api.keys import KeyRing
from api.settings import Settings
from engine.invoices.invoice import Stamp
from storage.unit_certificates import UnitCertificateStore

_GROUP_DIGIT: Final = 10
_TIN: Final = re.compile(r"\d{10}")


class CannotOnboard(Exception):
    """What is asked for or set does not go together; the message says what to do."""


def open_certificates(
    settings: Settings, store: UnitCertificateStore, keys: KeyRing
) -> UnitCertificates:
    """What was onboarded, else the stamp of the settings, else one of our own."""
    invoices, zatca = settings.invoices, settings.zatca
    # A file that cannot be read is told when the service starts, not after the first delivery.
    certified = None if invoices.stamp_file is None else read_stamp(invoices.stamp_file)

    def stamp() -> Stamp:
        return certified or own_stamp(keys.keys.secret("invoice stamp"), invoices.unit)

    return UnitCertificates(
        store,
        unit=invoices.unit,
        authority=zatca.url,
        stamp=stamp,
        known_by=zatca.csid,
    )


def subject_of(settings: Settings) -> UnitSubject:
    """What the certificate is to say.

    Raises:
        CannotOnboard: the settings name a VAT group, and no member of it.
    """
    is_group = settings.invoices.vat_number[_GROUP_DIGIT] == "1"
    if is_group and not _TIN.fullmatch(settings.invoices.branch):
        raise CannotOnboard(
            "invoices.vat_number is that of a VAT group: set invoices.branch to the ten digits of "
            "the member's TIN"
        )
    return UnitSubject(
        unit=settings.invoices.unit,
        seller=settings.invoices.seller,
        branch=settings.invoices.branch,
        business_category=settings.invoices.business_category,
        documents=settings.invoices.documents,
    )
