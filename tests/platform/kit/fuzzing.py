"""How much chance there is in the tests that have some; by default none, and little work."""

import os

from hypothesis import settings

FUZZ = os.environ.get("FUZZ_EXAMPLES")
EXAMPLES = settings(max_examples=int(FUZZ or 5), derandomize=not FUZZ, database=None, deadline=None)
