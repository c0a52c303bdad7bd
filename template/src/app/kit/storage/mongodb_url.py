"""The URL of MongoDB, with the options that PyMongo gets, and the client for it."""

import re
import warnings
from typing import Any

import pymongo
from pymongo.uri_parser import parse_uri

from app.kit.settings import ServiceSettings
from app.kit.storage import urls
from app.kit.storage.operations import OPERATION_SECONDS
from app.kit.storage.urls import wrong

KEPT = (
    *("appName", "authMechanism", "authMechanismProperties", "authSource", "compressors"),
    *("directConnection", "enableOverloadRetargeting", "heartbeatFrequencyMS", "loadBalanced"),
    *("localThresholdMS", "maxAdaptiveRetries", "maxConnecting", "maxIdleTimeMS", "minPoolSize"),
    *("replicaSet", "serverMonitoringMode", "srvAllowedHostsSuffix", "srvMaxHosts"),
    *("srvServiceName", "ssl", "tls", "tlsAllowInvalidCertificates", "tlsAllowInvalidHostnames"),
    *("tlsCAFile", "tlsCertificateKeyFile", "tlsCertificateKeyFilePassword", "tlsCRLFile"),
    *("tlsDisableOCSPEndpointCheck", "tlsInsecure", "zlibCompressionLevel"),
)
DROPPED = (
    # The service decides about durability and consistency.
    *("fsync", "j", "journal", "w", "wtimeout", "wTimeoutMS", "readConcernLevel"),
    *("maxStalenessSeconds", "readPreference", "readPreferenceTags", "retryReads", "retryWrites"),
    # The service has its own time limits, pool and types of values.
    *("connect", "connectTimeoutMS", "maxPoolSize", "serverSelectionTimeoutMS"),
    *("serverSelectionTryOnce", "socketTimeoutMS", "timeoutMS", "waitQueueMultiple"),
    *("waitQueueTimeoutMS", "datetime_conversion", "tz_aware", "unicode_decode_error_handler"),
    "uuidRepresentation",
)

NAME = re.compile(r"(?!(?:admin|config|local)\Z)[^./\\]+", re.IGNORECASE)
MAX_NAME_BYTES = 63

_KEPT, _DROPPED = ({name.lower() for name in names} for names in (KEPT, DROPPED))


def parse(url: str) -> str:
    """Return the URL for PyMongo, without the options that are dropped.

    Raises ``InvalidSettings``. Upper and lower case are the same in the names of options.
    """
    address = urls.parse(url, str.lower, repeatable=_DROPPED)
    urls.only_known(address.options, _DROPPED | _KEPT)
    name = address.database
    if not (address.hosts and NAME.fullmatch(name) and len(name.encode()) <= MAX_NAME_BYTES):
        raise wrong("name a database of its own, as in mongodb://localhost/app")
    base, _, query = url.partition("?")
    kept = [o for o in re.split("[&;]", query) if o.partition("=")[0].lower() in _KEPT]
    for option in kept:
        _check(option)
    return f"{base}?{'&'.join(kept)}"


def _check(option: str) -> None:
    """Have PyMongo check one option alone: its message would not name the wrong one."""
    name = option.partition("=")[0]
    if name.lower().startswith("srv"):
        return  # They are valid only with a name that needs DNS.
    try:
        with warnings.catch_warnings(action="error"):
            parse_uri(f"mongodb://localhost/?{option}")
    except Exception:
        raise wrong(f"{name} has no valid value") from None


def client(settings: ServiceSettings) -> pymongo.AsyncMongoClient[dict[str, Any]]:
    """Return the client, which has not connected yet."""
    with warnings.catch_warnings(action="error"):  # PyMongo only warns of a wrong option.
        return pymongo.AsyncMongoClient(
            parse(settings.database_url.get_secret_value()),
            tz_aware=True,
            datetime_conversion="DATETIME_CLAMP",
            unicode_decode_error_handler="replace",
            uuidRepresentation="standard",
            w="majority",
            journal=True,
            retryWrites=True,
            retryReads=True,
            readPreference="primary",
            readConcernLevel="local",
            maxPoolSize=settings.database_pool_size,
            connectTimeoutMS=OPERATION_SECONDS * 1000,
            serverSelectionTimeoutMS=OPERATION_SECONDS * 1000,
        )
