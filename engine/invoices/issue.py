"""Issuing: an invoice gets its number, its place in the chain, its signature and its QR code.

The hash is over the canonical document without extensions, signature and QR code (BR-KSA-26); the
signature is ECDSA over that hash, enclosed as XAdES (Security Features Implementation Standards
1.2, section 2).
"""

import base64
import hashlib
from copy import deepcopy
from typing import Final

from lxml import etree

from engine.invoices import tlv
from engine.invoices.invoice import Chain, Draft, Invoice, Stamp, correctable
from engine.invoices.ubl import CAC, CBC, EXT, Element, attach, document, local
from engine.kernel.refusals import Refusal
from engine.kernel.riyals import riyals
from engine.pricing.lines import amounts

_DS: Final = "http://www.w3.org/2000/09/xmldsig#"
_XADES: Final = "http://uri.etsi.org/01903/v1.3.2#"
_SIG: Final = "urn:oasis:names:specification:ubl:schema:xsd:CommonSignatureComponents-2"
_SAC: Final = "urn:oasis:names:specification:ubl:schema:xsd:SignatureAggregateComponents-2"
_SBC: Final = "urn:oasis:names:specification:ubl:schema:xsd:SignatureBasicComponents-2"
_SIGNATURE_ID: Final = "urn:oasis:names:specification:ubl:signature:Invoice"
_METHOD_ID: Final = "urn:oasis:names:specification:ubl:dsig:enveloped:xades"
_C14N: Final = "http://www.w3.org/2006/12/xml-c14n11"
_XPATH: Final = "http://www.w3.org/TR/1999/REC-xpath-19991116"
_ECDSA: Final = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
_SHA256: Final = "http://www.w3.org/2001/04/xmlenc#sha256"
_LEFT_OUT: Final = (
    "ext:UBLExtensions",
    "cac:Signature",
    "cac:AdditionalDocumentReference[cbc:ID='QR']",
)
_PREFIXES: Final = {"ext": EXT[1:-1], "cac": CAC[1:-1], "cbc": CBC[1:-1]}


def issue(draft: Draft, chain: Chain, stamp: Stamp) -> Invoice | Refusal:
    """The next invoice of a chain; its counter is one more than the last."""
    refusal = correctable(draft, chain)
    if refusal is not None:
        return refusal
    number = f"{chain.unit}-{chain.counter + 1:08}"
    root, priced = document(draft, chain, number=number), amounts(draft.lines)
    digest = hashlib.sha256(canonical(root)).digest()
    signature = base64.b64encode(stamp.sign(digest)).decode()
    hash_ = base64.b64encode(digest).decode()
    qr = _qr(draft, hash_, signature, stamp)
    _enclose(root, _signed(draft, hash_, signature, stamp), qr)
    return Invoice(
        id=draft.id,
        unit=chain.unit,
        counter=chain.counter + 1,
        number=number,
        draft=draft,
        net_halalas=priced.net_halalas,
        vat_halalas=priced.vat_halalas,
        rounding_halalas=priced.rounding_halalas,
        payable_halalas=priced.payable_halalas,
        previous_hash=chain.hash,
        hash=hash_,
        qr=qr,
        xml=etree.tostring(root, xml_declaration=True, encoding="UTF-8"),
    )


def canonical(root: Element) -> bytes:
    """What is hashed: the document without what is put in afterwards, in canonical XML."""
    bare = deepcopy(root)
    for path in _LEFT_OUT:
        for node in bare.findall(path, _PREFIXES):
            bare.remove(node)
    written: bytes = etree.tostring(bare, method="c14n")
    return written


def _qr(draft: Draft, hash_: str, signature: str, stamp: Stamp) -> str:
    priced = amounts(draft.lines)
    values = [
        tlv.fitting(draft.seller.name_ar),
        draft.seller.vat_number.encode(),
        local(draft.issued_at).strftime("%Y-%m-%dT%H:%M:%S").encode(),
        riyals(priced.payable_halalas).encode(),
        riyals(priced.vat_halalas).encode(),
        hash_.encode(),
        signature.encode(),
        stamp.public_key,
    ]
    if draft.buyer is None:
        values.append(stamp.certificate_signature)
    return tlv.encode(values)


def _enclose(root: Element, signed: Element, qr: str) -> None:
    """Put extensions, QR code and signature in their places."""
    extensions = etree.Element(EXT + "UBLExtensions")
    extension = etree.SubElement(extensions, EXT + "UBLExtension")
    etree.SubElement(extension, EXT + "ExtensionURI").text = _METHOD_ID
    etree.SubElement(extension, EXT + "ExtensionContent").append(signed)
    root.insert(0, extensions)
    previous = root.findall("cac:AdditionalDocumentReference", _PREFIXES)[-1]
    reference = attach(root, "QR", qr, after=previous)
    node = etree.Element(CAC + "Signature")
    etree.SubElement(node, CBC + "ID").text = _SIGNATURE_ID
    etree.SubElement(node, CBC + "SignatureMethod").text = _METHOD_ID
    reference.addnext(node)


def _signed(draft: Draft, hash_: str, signature: str, stamp: Stamp) -> Element:
    whole = etree.Element(
        f"{{{_SIG}}}UBLDocumentSignatures", nsmap={"sig": _SIG, "sac": _SAC, "sbc": _SBC}
    )
    information = etree.SubElement(whole, f"{{{_SAC}}}SignatureInformation")
    etree.SubElement(information, CBC + "ID").text = "urn:oasis:names:specification:ubl:signature:1"
    etree.SubElement(information, f"{{{_SBC}}}ReferencedSignatureID").text = _SIGNATURE_ID
    node = etree.SubElement(
        information, f"{{{_DS}}}Signature", nsmap={"ds": _DS}, attrib={"Id": "signature"}
    )
    properties = _properties(draft, stamp)
    _signed_info(node, hash_, _hex_digest(etree.tostring(properties, encoding="UTF-8")))
    _ds(node, "SignatureValue", signature)
    _ds(_ds(_ds(node, "KeyInfo"), "X509Data"), "X509Certificate", stamp.certificate)
    qualifying = etree.SubElement(
        _ds(node, "Object"),
        f"{{{_XADES}}}QualifyingProperties",
        nsmap={"xades": _XADES},
        attrib={"Target": "signature"},
    )
    qualifying.append(properties)
    return whole


def _signed_info(node: Element, hash_: str, properties_digest: str) -> None:
    info = _ds(node, "SignedInfo")
    _ds(info, "CanonicalizationMethod", Algorithm=_C14N)
    _ds(info, "SignatureMethod", Algorithm=_ECDSA)
    invoice = _ds(info, "Reference", Id="invoiceSignedData", URI="")
    transforms = _ds(invoice, "Transforms")
    for path in _LEFT_OUT:
        transform = _ds(transforms, "Transform", Algorithm=_XPATH)
        _ds(transform, "XPath", f"not(//ancestor-or-self::{path})")
    _ds(transforms, "Transform", Algorithm=_C14N)
    _ds(invoice, "DigestMethod", Algorithm=_SHA256)
    _ds(invoice, "DigestValue", hash_)
    signed = _ds(info, "Reference", Type=f"{_DS}SignatureProperties", URI="#xadesSignedProperties")
    _ds(signed, "DigestMethod", Algorithm=_SHA256)
    _ds(signed, "DigestValue", properties_digest)


def _properties(draft: Draft, stamp: Stamp) -> Element:
    """What is signed beside the document, by itself.

    Its digest is not over a canonical form: the authority writes these elements by themselves, so
    that each of another namespace declares it, and empty ones stay short.
    """
    whole = etree.Element(
        f"{{{_XADES}}}SignedProperties",
        nsmap={"xades": _XADES},
        attrib={"Id": "xadesSignedProperties"},
    )
    signature = etree.SubElement(whole, f"{{{_XADES}}}SignedSignatureProperties")
    at = local(draft.issued_at).strftime("%Y-%m-%dT%H:%M:%S")
    etree.SubElement(signature, f"{{{_XADES}}}SigningTime").text = at
    certificate = etree.SubElement(signature, f"{{{_XADES}}}SigningCertificate")
    one = etree.SubElement(certificate, f"{{{_XADES}}}Cert")
    digest = etree.SubElement(one, f"{{{_XADES}}}CertDigest")
    _ds(digest, "DigestMethod", Algorithm=_SHA256)
    _ds(digest, "DigestValue", _hex_digest(stamp.certificate.encode()))
    issuer = etree.SubElement(one, f"{{{_XADES}}}IssuerSerial")
    _ds(issuer, "X509IssuerName", stamp.issuer)
    _ds(issuer, "X509SerialNumber", str(stamp.serial))
    return whole


def _ds(parent: Element, name: str, text: str | None = None, **attributes: str) -> Element:
    node = etree.SubElement(parent, f"{{{_DS}}}{name}", attrib=attributes, nsmap={"ds": _DS})
    node.text = text
    return node


def _hex_digest(content: bytes) -> str:
    """SHA-256 in hexadecimal, in Base64: how the standard writes these two digests."""
    return base64.b64encode(hashlib.sha256(content).hexdigest().encode()).decode()
