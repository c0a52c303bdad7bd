"""What asyncpg is given of a URL, and what stops the start in one line."""

import ssl
from pathlib import Path
from typing import Any

import pytest

from app.kit.errors import InvalidSettings
from app.kit.storage.postgres_url import parse

BASE = "postgresql://app:s3cret@db/app"
TAKEN: dict[str, dict[str, Any]] = {
    "postgres://app:s3cret@db/app": {"user": "app", "password": "s3cret", "host": ["db"]},
    "postgresql+asyncpg://app@db:5433/app": {"port": [5433], "database": "app"},
    "postgresql://app:p%40%2F%23%3F:%25@db/app": {"password": "p@/#?:%"},
    "postgresql://db1:1,db2,[::1]:3/app": {"host": ["db1", "db2", "::1"], "port": [1, 5432, 3]},
    "postgresql://%2Frun%2Fpostgresql/app": {"host": ["/run/postgresql"]},
    "postgresql:///app?host=/run/postgresql&port=5433": {
        "host": ["/run/postgresql"],
        "port": [5433],
    },
    "postgresql:///?dbname=app&user=me&password=s3cret": {"database": "app", "user": "me"},
    f"{BASE}?keepalives_interval=10&connect_timeout=3&channel_binding=require": {"ssl": "prefer"},
    f"{BASE}?gssencmode=disable&load_balance_hosts=disable": {},
    f"{BASE}?statement_cache_size=0": {"statement_cache_size": 0},
    f"{BASE}?prepared_statement_cache_size=0": {"statement_cache_size": 0},
    f"{BASE}?max_cached_statement_lifetime=60": {"max_cached_statement_lifetime": 60},
    f"{BASE}?target_session_attrs=read-write": {"target_session_attrs": "read-write"},
    "postgresql://app@db1,db2/app": {"target_session_attrs": "read-write"},
    "postgresql://app@db1,db2/app?target_session_attrs=any": {"target_session_attrs": "any"},
    f"{BASE}?application_name=notes": {"server_settings": {"application_name": "notes"}},
    f"{BASE}?options=-csearch_path%3Dnotes": {
        "server_settings": {"options": "-csearch_path=notes"}
    },
    f"{BASE}?sslmode=disable": {"ssl": False},
    f"{BASE}?ssl=false": {"ssl": False},
    f"{BASE}?ssl=allow": {"ssl": "allow"},
    f"{BASE}?sslmode=require&sslnegotiation=direct": {"direct_tls": True},
}
REFUSED = {
    "postgresql://app:s3cret#part@db/app": "DATABASE_URL",
    "postgresql://app:s3cret@part@db/app": "DATABASE_URL",
    "postgresql://app:s3cret/part@db/app": "DATABASE_URL",
    "postgresql://app:1/s3cret@db/app": "DATABASE_URL",
    "postgresql://app:1?s3cret=2@db/app": "DATABASE_URL",
    "postgresql://u:1?s3cret&word=x@db/app": "DATABASE_URL",
    "postgresql://u@db/app?s3cret=word": "option 1 after",
    "postgresql://app:s3cret%zz@db/app": "DATABASE_URL",
    "postgresql://app:s3cret%ff@db/app": "UTF-8",
    "postgresql://app:s3cret%00@db/app": "NUL",
    "postgresql://app:s3cret @db/app": "white space",
    "postgresql://app:s3cret@db/app\n": "white space",
    "postgresql://app:s3cret\udcff@db/app": "printed",
    "postgresql://app:s3cret@db:port/app": "port",
    "postgresql://app:s3cret@db..example.com/app": "host",
    f"postgresql://app:s3cret@{'a' * 64}/app": "host",
    "postgresql://app:s3cret@db:0/app": "port",
    "postgresql://app:s3cret@db:65536/app": "port",
    "postgresql://app:s3cret@[db/app": "host",
    "postgresql:app:s3cret": "DATABASE_URL",
    f"{BASE}?port=s3cret": "port",
    f"{BASE}?s3cret": "name=value",
    f"{BASE}?=s3cret": "name=value",
    f"{BASE}?connection_limit=s3cret": "option 1 after",
    f"{BASE}?pgbouncer=s3cret": "option 1 after",
    f"{BASE}?service=s3cret": "option 1 after",
    f"{BASE}?require_auth=s3cret": "option 1 after",
    f"{BASE}?hostaddr=s3cret": "option 1 after",
    f"{BASE}?replication=s3cret": "option 1 after",
    f"{BASE}?password=a&s3cret=b": "option 2 after",
    f"{BASE}?sslpassword=a;s3cret=b": "option 2 after",
    f"{BASE}?sslmode=s3cret&ssl=true&sslmode=require": "option 3 after the . is there twice",
    f"{BASE}?host=a&host=b": "twice",
    f"{BASE}?gssencmode=require": "gssencmode",
    f"{BASE}?load_balance_hosts=random": "load_balance_hosts",
    f"{BASE}?statement_cache_size=s3cret": "statement_cache_size",
    f"{BASE}?statement_cache_size=-1": "statement_cache_size",
    f"{BASE}?target_session_attrs=prefer-standby": "target_session_attrs",
    f"{BASE}?target_session_attrs=s3cret": "target_session_attrs",
    f"{BASE}?sslmode=s3cret": "sslmode",
    f"{BASE}?ssl=s3cret": "ssl",
    f"{BASE}?sslmode=verify-full&sslrootcert=/s3cret.crt": "sslrootcert",
    f"{BASE}?sslmode=require&sslcert=/s3cret.crt": "sslcert",
    f"{BASE}?sslmode=verify-full&sslrootcert={__file__}": "sslrootcert",
    f"{BASE}?sslmode=verify-full&sslcrl={__file__}": "sslcrl",
    f"{BASE}?sslrootcert={__file__}": "sslrootcert",
    f"{BASE}?sslmode=prefer&sslkey={__file__}": "sslkey",
    f"{BASE}?sslmode=require&sslrootcert=system": "sslmode",
    f"{BASE}?sslnegotiation=direct": "sslmode",
    f"{BASE}?sslnegotiation=s3cret": "sslnegotiation",
    f"{BASE}?sslmode=require&ssl_min_protocol_version=s3cret": "ssl_min_protocol_version",
    f"{BASE}?ssl_min_protocol_version=s3cret": "ssl_min_protocol_version",
    f"{BASE}?sslmode=disable&ssl_max_protocol_version=s3cret": "ssl_max_protocol_version",
    f"{BASE}?direct_tls=s3cret": "direct_tls",
    f"{BASE}?sslmode=require&sslnegotiation=direct&direct_tls=s3cret": "direct_tls",
}


@pytest.mark.parametrize(("url", "arguments"), TAKEN.items())
def test_what_is_known_is_translated_or_dropped(url: str, arguments: dict[str, Any]) -> None:
    found = parse(url)

    assert found | arguments == found


@pytest.mark.parametrize(("url", "named"), REFUSED.items())
def test_what_is_wrong_is_named_without_its_value(url: str, named: str) -> None:
    with pytest.raises(InvalidSettings, match=named) as caught:
        parse(url)

    assert str(caught.value).startswith("DATABASE_URL: ")
    assert "\n" not in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert __file__ not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "verify", "hostname"),
    [
        ("sslmode=require", ssl.CERT_NONE, False),
        ("ssl=true", ssl.CERT_NONE, False),
        ("sslmode=verify-ca", ssl.CERT_REQUIRED, False),
        ("sslmode=verify-full", ssl.CERT_REQUIRED, True),
        ("ssl=verify-full", ssl.CERT_REQUIRED, True),
        ("sslmode=verify-full&sslrootcert=system", ssl.CERT_REQUIRED, True),
        ("sslrootcert=system", ssl.CERT_REQUIRED, True),
    ],
)
def test_a_mode_says_what_is_verified(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: str,
    verify: ssl.VerifyMode,
    hostname: bool,
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))  # Where no root certificate is.

    context = parse(f"{BASE}?{options}")["ssl"]

    assert (context.verify_mode, context.check_hostname) == (verify, hostname)
    if verify:
        assert len(context.get_ca_certs()) == len(ssl.create_default_context().get_ca_certs())
