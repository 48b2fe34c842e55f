"""XML of others: what is harmless is read, and nothing else."""

import pytest

from engine.invoices.received import qr_of, read_xml
from tests.engine.invoices.drafts import a_draft, issued


def test_the_code_of_a_document_is_found() -> None:
    one = issued(a_draft())
    assert qr_of(one.xml, uuid=one.id) == one.qr
    with pytest.raises(ValueError, match="another document"):
        qr_of(one.xml, uuid=issued(a_draft()).id)
    bare = f'<a xmlns:cbc="{NAMESPACE}"><cbc:UUID>{one.id}</cbc:UUID></a>'
    with pytest.raises(ValueError, match="no QR code"):
        qr_of(bare.encode(), uuid=one.id)


@pytest.mark.parametrize(
    "xml",
    [
        b"",
        b"no",
        b"<a>",
        b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd"><a/>',
        b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]><a>&b;</a>',
        b'<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>',
    ],
)
def test_what_is_broken_or_would_fetch_or_swell_is_refused(xml: bytes) -> None:
    with pytest.raises(ValueError, match="it "):
        read_xml(xml)


NAMESPACE = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"
