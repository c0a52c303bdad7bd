"""TLS to a database, by the options of its URL."""

import ssl
from collections.abc import Mapping

from app.kit.storage.urls import require_readable, wrong


def context(
    files: Mapping[str, tuple[str, str]], *, verify: bool, hostname: bool, password: str = ""
) -> ssl.SSLContext:
    """Return the context, or raise ``InvalidSettings``, which names the option.

    ``files`` maps ``ca``, ``capath``, ``cert``, ``key`` and ``crl`` to the name of an option and
    its value. Without the first two, the system's roots are trusted.
    """
    path = {kind: value for kind, (_, value) in files.items()}
    for option, value in files.values():
        require_readable(option, value)
    try:
        made = ssl.create_default_context(cafile=path.get("ca"), capath=path.get("capath"))
        if crl := path.get("crl"):
            made.load_verify_locations(cafile=crl)
            made.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN
        if cert := path.get("cert"):
            made.load_cert_chain(cert, path.get("key"), password=lambda: password)
    except (OSError, ValueError):  # SSLError is an OSError; its message names no file.
        names = ", ".join(option for option, _ in files.values()) or "SSL_CERT_FILE"
        raise wrong(f"{names}: not in PEM, or they do not belong together") from None
    made.verify_flags &= ~ssl.VERIFY_X509_STRICT  # Since Python 3.13; roots of clouds fail it.
    made.check_hostname = hostname
    made.verify_mode = ssl.CERT_REQUIRED if verify else ssl.CERT_NONE
    return made
