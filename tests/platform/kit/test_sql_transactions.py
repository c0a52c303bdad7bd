"""Transactions that meet each other, and statements that SQLAlchemy completes."""

import asyncio
from dataclasses import asdict
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from app.kit.storage import Storage
from tests.kit.probe.models import Sample
from tests.kit.probe.service import PROBE
from tests.kit.probe.sql import samples


@pytest.fixture
def probe(storage: Storage) -> Any:
    """The probe's repository, on the shared database."""
    return storage.repository(PROBE)


async def test_a_transaction_that_meets_a_deadlock_is_run_again(probe: Any) -> None:
    """Where writers wait for each other from the beginning, they meet none, and end as well."""
    storage, (first, second) = probe.storage, (Sample.new("x"), Sample.new("x"))
    for sample in (first, second):
        await probe.add(sample)

    async def change(*both: Sample) -> None:
        def run(connection: sa.Connection) -> None:
            for sample in both:
                counted = sa.update(samples).values(version=samples.c.version + 1)
                connection.execute(counted.where(samples.c.id == sample.id))

        await storage.transact(run)

    await asyncio.gather(
        storage.bounded(partial(change, first, second)),
        storage.bounded(partial(change, second, first)),
    )

    assert [(await probe.get(sample.id)).version for sample in (first, second)] == [3, 3]


async def test_a_default_in_python_is_called_each_time(probe: Any) -> None:
    versions = iter((7, 8))
    columns = [
        sa.Column(c.name, c.type, default=versions.__next__ if c.name == "version" else None)
        for c in samples.c
    ]
    add = sa.insert(sa.Table(samples.name, sa.MetaData(), *columns))
    added = [Sample.new("x"), Sample.new("x")]
    for sample in added:
        values = asdict(sample)
        del values["version"]
        await probe.storage.execute(add, **values)

    assert [(await probe.get(sample.id)).version for sample in added] == [7, 8]
