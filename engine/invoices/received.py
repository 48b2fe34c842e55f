"""XML that somebody else has written: read in one place, which fetches and expands nothing."""

from typing import Final

from lxml import etree

from engine.invoices.ubl import NAMES, Element

_QR: Final = (
    "cac:AdditionalDocumentReference[cbc:ID='QR']/cac:Attachment/cbc:EmbeddedDocumentBinaryObject"
)
_PREFIXES: Final = {name: space for name, space in NAMES.items() if name}


def read_xml(xml: bytes) -> Element:
    """The root of a document.

    Raises:
        ValueError: it is no XML, or it declares a document type, which no invoice does.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        root = etree.fromstring(xml, parser)
    except etree.XMLSyntaxError as error:
        raise ValueError("it is no XML") from error
    if root.getroottree().docinfo.doctype:
        raise ValueError("it declares a document type")
    return root


def qr_of(xml: bytes, *, uuid: str) -> str:
    """The QR code of a document that was cleared.

    Raises:
        ValueError: it is another document, or has no QR code.
    """
    root = read_xml(xml)
    if root.findtext("cbc:UUID", namespaces=_PREFIXES) != uuid:
        raise ValueError("it is another document")
    found: str | None = root.findtext(_QR, namespaces=_PREFIXES)
    if not found:
        raise ValueError("it has no QR code")
    return found
