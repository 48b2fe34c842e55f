"""What the API shows as its certificate when it speaks TLS itself."""

import ssl
from typing import Final

from api.edge_settings import EdgeSettings

# Forward secrecy and authenticated encryption: the suites of TLS 1.2 that RFC 9325 recommends.
_CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"


class UnusableCertificate(Exception):
    """The certificate or its key cannot be used; the text names the setting."""


def certificate_shown(edge: EdgeSettings) -> ssl.SSLContext | None:
    """How the API speaks TLS; None where it does not. Raises UnusableCertificate."""
    if edge.certificate_file is None and edge.certificate_key_file is None:
        return None
    if edge.certificate_file is None or edge.certificate_key_file is None:
        raise UnusableCertificate(
            "edge.certificate_file and edge.certificate_key_file belong together: set both or none"
        )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_CIPHERS)
    context.set_alpn_protocols(["http/1.1"])
    try:
        # Without a password of its own, OpenSSL would ask for it at the terminal.
        context.load_cert_chain(edge.certificate_file, edge.certificate_key_file, password="")
    except OSError as error:
        raise UnusableCertificate(
            f"edge.certificate_file ({edge.certificate_file}) with edge.certificate_key_file "
            f"({edge.certificate_key_file}) cannot be used: {error.strerror or error}; both are "
            "PEM, the key is not encrypted"
        ) from error
    return context


def own_certificate_only(edge: EdgeSettings) -> ssl.SSLContext:
    """Trusts what this API shows and nothing else, by whatever address it is reached."""
    context = ssl.create_default_context(cafile=edge.certificate_file)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    # Whose it is, is known: it is the very certificate of the settings.
    context.check_hostname = False
    return context
