"""What PyMongo is given of a URL, and what stops the start in one line."""

import pytest

from app.kit.errors import InvalidSettings
from app.kit.storage import open_storage
from app.kit.storage.mongodb_url import parse
from app.settings import Settings

BASE = "mongodb://app:s3cret@db/app"
TAKEN = {
    "mongodb://db/app": "mongodb://db/app?",
    "mongodb://a:1,b:2/app?replicaSet=rs0": "mongodb://a:1,b:2/app?replicaSet=rs0",
    "mongodb+srv://app:p%40@db.example.com/app": "mongodb+srv://app:p%40@db.example.com/app?",
    f"{BASE}?authsource=admin;tls=true": f"{BASE}?authsource=admin&tls=true",
    f"{BASE}?w=1&journal=false&readPreference=secondary&retryWrites=false": f"{BASE}?",
    f"{BASE}?readPreferenceTags=dc:a&readPreferenceTags=": f"{BASE}?",
    f"{BASE}?timeoutMS=1&maxPoolSize=5&uuidRepresentation=javaLegacy": f"{BASE}?",
}
REFUSED = {
    "mongodb://app:s3cret#part@db/app": "DATABASE_URL",
    "mongodb://app:s3cret@part@db/app": "DATABASE_URL",
    "mongodb://app:s3cret/part@db/app": "DATABASE_URL",
    "mongodb://app:s3cret%zz@db/app": "DATABASE_URL",
    "mongodb://app:s3cret@db:port/app": "port",
    "mongodb://app:s3cret@db..example.com/app": "host",
    f"mongodb://app:s3cret@{'a' * 64}/app": "host",
    "mongodb://app:s3cret@db": "name a database",
    "mongodb:///app": "name a database",
    f"mongodb://app:s3cret@db/{'a' * 64}": "name a database",
    f"mongodb://app:s3cret@db/{'%C3%A9' * 32}": "name a database",
    "mongodb://app:s3cret@db/notes.s3cret": "name a database",
    "mongodb://app:s3cret@db/Admin": "name a database",
    "mongodb://app:s3cret@db/config": "name a database",
    f"{BASE}?s3cret": "name=value",
    f"{BASE}?proxyHost=s3cret": "option 1 after",
    f"{BASE}?ssl_ca_certs=s3cret": "option 1 after",
    f"{BASE}?tlsCertificateKeyFilePassword=a&s3cret=b": "option 2 after",
    f"{BASE}?authMechanismProperties=AWS_SESSION_TOKEN:a&s3cret=b": "option 2 after",
    f"{BASE}?tls=s3cret": "tls",
    f"{BASE}?tls=s3cret&TLS=true": "option 2 after the . is there twice",
    f"{BASE}?tlsCAFile=/s3cret.pem": "tlsCAFile",
    f"{BASE}?tlsCertificateKeyFile=/s3cret.pem": "tlsCertificateKeyFile",
    f"{BASE}?compressors=s3cret": "compressors",
    f"{BASE}?heartbeatFrequencyMS=s3cret": "heartbeatFrequencyMS",
    f"{BASE}?authMechanism=s3cret": "authMechanism",
}
REFUSED_BY_PYMONGO = {
    "several hosts": "mongodb://s3cret1,s3cret2/app?directConnection=true",
    "srv with a port": "mongodb+srv://app:s3cret@db.example.com:27017/app",
    "no srv": f"{BASE}?srvMaxHosts=1",
    "no certificate": f"{BASE}?tls=true&tlsCAFile={__file__}",
    "database": "mongodb://app:s3cret@db/a%20b",
    "pool": f"{BASE}?minPoolSize=999",
    "scheme": "mongodb+tls://app:s3cret@db/app",
}


@pytest.mark.parametrize(("url", "kept"), TAKEN.items())
def test_what_is_known_is_kept_or_dropped(url: str, kept: str) -> None:
    assert parse(url) == kept


def check(error: InvalidSettings) -> None:
    assert str(error).startswith("DATABASE_URL: ")
    assert "\n" not in str(error)
    assert "s3cret" not in str(error)
    assert __file__ not in str(error)


@pytest.mark.parametrize(("url", "named"), REFUSED.items())
def test_what_is_wrong_is_named_without_its_value(url: str, named: str) -> None:
    with pytest.raises(InvalidSettings, match=named) as caught:
        parse(url)

    check(caught.value)


@pytest.mark.parametrize("url", REFUSED_BY_PYMONGO.values(), ids=REFUSED_BY_PYMONGO.keys())
async def test_what_only_pymongo_knows_is_one_line(url: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        async with open_storage(Settings(_env_file=None, database_url=url)):
            pass

    check(caught.value)
