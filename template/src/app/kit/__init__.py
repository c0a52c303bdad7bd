"""The platform of the service: HTTP, storage, dumps, migrations, commands. `make update` renews it.

It imports nothing of the service that it is part of; it finds the features by their packages.
"""

from pathlib import Path

SERVICE = __name__.rpartition(".")[0]
"""The name of the package of the service."""

SERVICE_FOLDER = Path(__file__).parent.parent
