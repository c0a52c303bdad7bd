"""The tests, in an environment that does not depend on what the shell exports."""

import os

import pytest

from app.settings import Settings

pytest.register_assert_rewrite("tests.kit.support")

OF_OTHERS = ("OTEL_", "PROMETHEUS_", "SSL_CERT_")

for name in [*os.environ]:
    known = name.lower() in Settings.model_fields or name.upper().endswith("_PROXY")
    if known or name.startswith(OF_OTHERS):
        del os.environ[name]
