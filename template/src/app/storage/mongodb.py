"""MongoDB through PyMongo."""

import asyncio
import warnings
from collections.abc import AsyncGenerator, Awaitable, Callable
from functools import partial
from importlib import import_module
from typing import Any, TypeVar

import pymongo
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import (
    ConfigurationError,
    ConnectionFailure,
    ExecutionTimeout,
    OperationFailure,
    ProtocolError,
    PyMongoError,
    WriteConcernError,
)

from app.migrations import mongodb as migrations
from app.settings import InvalidSettings, Settings
from app.storage.operations import OPERATION_SECONDS, BoundedStorage, Fault, Pool, unavailable

# Codes of errors that speak of the server and not of the command, where PyMongo has no class.
OUTAGE_CODES = {
    6,  # HostUnreachable
    7,  # HostNotFound
    13,  # Unauthorized
    18,  # AuthenticationFailed
    24,  # LockTimeout
    89,  # NetworkTimeout
    112,  # WriteConflict
    133,  # FailedToSatisfyReadPreference
    134,  # ReadConcernMajorityNotAvailableYet
    146,  # ExceededMemoryLimit
    202,  # NetworkInterfaceExceededTimeLimit
    262,  # ExceededTimeLimit
    462,  # IngressRequestRateLimitExceeded
    9001,  # SocketException
    11601,  # Interrupted
    13388,  # StaleConfig
    14031,  # OutOfDiskSpace
}

SNAPSHOT_TOO_OLD = 239

Document = dict[str, Any]
Collection = AsyncCollection[Document]

T = TypeVar("T")


class Storage(BoundedStorage):
    """An open MongoDB database. The URL goes to PyMongo as it is, its options included.

    Some are not for the URL to choose. A write is acknowledged once a majority of the members
    has it in its journal, so no failover takes it back. Reads go to the primary, which has every
    acknowledged write, whichever process sent it. Of what it has, they also see a write that is
    not acknowledged yet. Read concern "majority" would hide that, but for a moment after an
    election acknowledged writes too; "linearizable" costs a round trip to the other members.
    """

    system = "mongodb"
    outages = (
        OSError,
        ConfigurationError,
        ConnectionFailure,
        ExecutionTimeout,
        ProtocolError,
        WriteConcernError,
    )

    def __init__(self, settings: Settings) -> None:
        try:
            self.client = _client(settings)
            self.database = self.client.get_default_database()
        except (PyMongoError, UserWarning, ValueError):
            example = "mongodb://localhost/notes"
            message = f"DATABASE_URL: it must be valid and name a database, as in {example}"
            raise InvalidSettings(message) from None
        self._size = settings.database_pool_size
        self._migrated = False
        # The pool would serve whoever asks at the right moment, and let others starve.
        self._turns = asyncio.Semaphore(settings.database_pool_size)

    def pool(self) -> Pool:
        """Return how much of the pool is in use now, by the operations, each of which takes one."""
        used = min(self.under_way, self._size)
        return Pool(self._size, used, self.under_way - used)

    def repository(self, feature: str) -> Any:
        """Return the feature's ``Repository`` on this database."""
        return import_module(f"app.{feature}.mongodb").Repository(self)

    def fault(self, error: Exception) -> Fault | None:
        code = error.code if isinstance(error, OperationFailure) else None
        if code == SNAPSHOT_TOO_OLD:
            return Fault.EXPIRED
        return Fault.OUTAGE if code in OUTAGE_CODES else None

    async def scan(
        self, read: Callable[[Any, AsyncClientSession], Awaitable[list[Document]]], first: Any
    ) -> AsyncGenerator[list[Document], None]:
        """Yield the documents of all pages, each not empty, as they were at one moment.

        ``read`` returns what comes next to an ``_id``, at the beginning ``first``.
        """
        async with self.client.start_session(snapshot=True) as session:
            after = first
            while page := await self.bounded(partial(read, after, session)):
                yield page
                after = page[-1]["_id"]

    async def bounded(self, work: Callable[[], Awaitable[T]]) -> T:
        # The driver keeps the time, and tells the server. Cancelling its calls from outside takes
        # longer than it should, and one time in many leaves a pool that never recovers.
        with self.faults_told(), pymongo.timeout(OPERATION_SECONDS):
            async with self._turns:
                if not self._migrated:  # A write to a missing collection would make one, unruled.
                    await self._require_schema(or_newer=True)
                    self._migrated = True
                return await work()

    async def check(self, *, or_newer: bool = False) -> None:
        """Raise ``Unavailable`` unless the database answers and has the schema of this code.

        With ``or_newer``, one that newer code has brought on does as well.
        """
        await self.bounded(lambda: self._require_schema(or_newer=or_newer))

    async def _require_schema(self, *, or_newer: bool) -> None:
        known, applied = migrations.revisions(), await migrations.applied(self.database)
        missing, unknown = sorted(known - applied), sorted(applied - known)
        if missing or (unknown and not or_newer):
            raise unavailable(Fault.SCHEMA, f"Missing: {missing}. Unknown: {unknown}.")

    async def migrate(self) -> None:
        """Bring the schema to the newest revision; a newer one stays."""
        with self.faults_told():
            await migrations.upgrade(self.database)

    async def close(self) -> None:
        """Close every connection."""
        with pymongo.timeout(OPERATION_SECONDS):
            await self.client.close()


def _client(settings: Settings) -> pymongo.AsyncMongoClient[Document]:
    with warnings.catch_warnings(action="error"):  # PyMongo only warns of a wrong option.
        return pymongo.AsyncMongoClient(
            settings.database_url.get_secret_value(),
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
