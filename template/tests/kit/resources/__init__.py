"""What every resource promises, whatever its fields: its repositories, and what HTTP answers.

A subclass names what is tested. Its samples are two bodies with other values where that can be.
"""

from tests.kit.resources.constraints import ConstraintTests
from tests.kit.resources.http import HttpTests
from tests.kit.resources.idempotency import IdempotencyTests
from tests.kit.resources.repository import RepositoryTests


class ResourceTests(RepositoryTests, HttpTests, IdempotencyTests, ConstraintTests):
    """All tests of one resource."""


__all__ = ["ResourceTests"]
