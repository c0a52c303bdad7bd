"""What asyncmy is given of a URL, and what stops the start in one line."""

import ssl
from typing import Any

import pytest

from app.kit.errors import InvalidSettings
from app.kit.storage.mysql_url import parse

BASE = "mysql://app:s3cret@db/app"
TAKEN: dict[str, dict[str, Any]] = {
    BASE: {"hosts": [("db", 3306)], "user": "app", "password": b"s3cret", "database": "app"},
    "mariadb://app@[::1]:3307/app": {"hosts": [("::1", 3307)]},
    "mysql+asyncmy://app:p%40%2F%23%C3%BC@db/app": {"password": "p@/#ü".encode()},
    "mysql://app@db1,db2:3307,[::1]/app": {"hosts": [("db1", 3306), ("db2", 3307), ("::1", 3306)]},
    "mysql:///app": {"hosts": [("localhost", 3306)]},
    "mysql:///app?unix_socket=/run/mysqld.sock": {"unix_socket": "/run/mysqld.sock"},
    f"{BASE}?charset=utf8mb4&use_unicode=1&local_infile=0": {},
    f"{BASE}?connect_timeout=5&read_timeout=5&autocommit=true": {},
    f"{BASE}?ssl-mode=DISABLED": {},
    f"{BASE}?ssl_disabled=true": {},
}
REFUSED = {
    f"{BASE}?ssl_key_password=a&s3cret=b": "option 2 after",
    "mysql://app:s3cret#part@db/app": "DATABASE_URL",
    "mysql://app:s3cret@part@db/app": "DATABASE_URL",
    "mysql://app:s3cret/part@db/app": "DATABASE_URL",
    "mysql://app:s3cret%zz@db/app": "DATABASE_URL",
    "mysql://app:s3cret@db:port/app": "port",
    "mysql://app:s3cret@db..example.com/app": "host",
    f"mysql://app:s3cret@{'a' * 64}/app": "host",
    "mysql://app:s3cret@db1,db2/app?socket=/run/mysqld.sock": "socket",
    "mysql://app:s3cret@db": "name a database",
    f"{BASE}?ssl-mode=s3cret&SSL_mode=REQUIRED": "option 2 after the . is there twice",
    f"{BASE}?charset=s3cret": "charset",
    f"{BASE}?local_infile=1": "local-infile",
    f"{BASE}?init_command=s3cret": "option 1 after",
    f"{BASE}?read_default_file=s3cret": "option 1 after",
    f"{BASE}?serverTimezone=s3cret": "option 1 after",
    f"{BASE}?sslaccept=s3cret": "option 1 after",
    f"{BASE}?ssl-mode=s3cret": "ssl-mode",
    f"{BASE}?ssl-mode=PREFERRED": "ssl-mode",
    f"{BASE}?ssl=s3cret": "ssl",
    f"{BASE}?ssl_verify_cert=s3cret": "ssl-verify-cert",
    f"{BASE}?ssl-mode=DISABLED&ssl_verify_cert=s3cret": "ssl-verify-cert",
    f"{BASE}?ssl-mode=DISABLED&sslmode=s3cret": "sslmode",
    f"{BASE}?ssl-disabled=true&ssl=s3cret": "ssl",
    f"{BASE}?ssl-ca=/s3cret.pem": "ssl-ca",
    f"{BASE}?ssl_ca={__file__}": "ssl-ca",
    f"{BASE}?ssl_capath=/s3cret": "ssl-capath",
    f"{BASE}?ssl_cert={__file__}&ssl_key={__file__}": "ssl-cert, ssl-key",
    f"{BASE}?ssl-mode=DISABLED&ssl-ca={__file__}": "ssl-ca",
}


@pytest.mark.parametrize(("url", "arguments"), TAKEN.items())
def test_what_is_known_is_translated_or_dropped(url: str, arguments: dict[str, Any]) -> None:
    found = parse(url)

    assert found | arguments == found
    assert "ssl" not in found


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
        ("ssl-mode=REQUIRED", ssl.CERT_NONE, False),
        ("sslMode=required", ssl.CERT_NONE, False),
        ("ssl=true", ssl.CERT_NONE, False),
        ("ssl-mode=VERIFY_CA", ssl.CERT_REQUIRED, False),
        ("ssl_verify_cert=1", ssl.CERT_REQUIRED, False),
        ("ssl-mode=VERIFY_IDENTITY", ssl.CERT_REQUIRED, True),
        ("ssl=true&ssl_check_hostname=true", ssl.CERT_REQUIRED, True),
        ("ssl_verify_cert=true&ssl_verify_identity=true", ssl.CERT_REQUIRED, True),
    ],
)
def test_a_mode_says_what_is_verified(options: str, verify: ssl.VerifyMode, hostname: bool) -> None:
    context = parse(f"{BASE}?{options}")["ssl"]

    assert (context.verify_mode, context.check_hostname) == (verify, hostname)
