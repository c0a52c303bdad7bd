"""The tests, in an environment that does not depend on what the shell exports."""

import os
import sys

from app.settings import Settings

OF_OTHERS = ("OTEL_", "PROMETHEUS_", "SSL_CERT_")

if "pytest" in sys.modules:  # Else it is a process that the tests have given its environment.
    sys.modules["pytest"].register_assert_rewrite("tests.kit.support", "tests.kit.commands")
    for name in [*os.environ]:
        known = name.lower() in Settings.model_fields or name.upper().endswith("_PROXY")
        if known or name.startswith(OF_OTHERS):
            del os.environ[name]
