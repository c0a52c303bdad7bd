"""A replica set of three members of MongoDB, on bad days."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from clusters.load import Load, under_load
from clusters.mongodb import Member, find_primary, form, url
from conftest import Made

FAULT_SECONDS = 3.0

Members = list[Member]


@pytest.fixture(scope="module")
def members() -> Iterator[Members]:
    with ExitStack() as stack:
        members = [stack.enter_context(Member()) for _ in range(3)]
        form(*members)
        yield members


@pytest.fixture(scope="module")
def load(
    members: Members, installed: Made, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Load]:
    """One load for all tests; its verdict comes at their end."""
    folder = tmp_path_factory.mktemp("mongodb")
    with under_load(installed("adaptable"), folder, url(*members)) as load:
        yield load


@pytest.fixture
def primary(members: Members, load: Load) -> Iterator[Member]:
    """The member that takes writes."""
    yield find_primary(*members)
    load.settle()


def report(fault: str, load: Load) -> None:
    print(f"MongoDB, {fault}: writes again after {load.settle():.1f} s")


def test_the_primary_is_killed(primary: Member, load: Load) -> None:
    primary.stop()
    report("the primary is killed", load)
    primary.start()


def test_the_primary_steps_down(primary: Member, load: Load) -> None:
    primary.step_down()
    report("the primary steps down", load)


def test_a_secondary_is_frozen(members: Members, primary: Member, load: Load) -> None:
    secondary = next(member for member in members if member is not primary)
    secondary.freeze()
    report("a secondary is frozen", load)
    time.sleep(FAULT_SECONDS)
    secondary.thaw()


def test_the_primary_is_frozen(primary: Member, load: Load) -> None:
    """It costs more than one that is killed, as the others have to notice it.

    A read that waits for it when it goes on gets old data, so it does only after such reads ended.
    """
    primary.freeze()
    report("the primary is frozen", load)
    time.sleep(FAULT_SECONDS)
    primary.thaw()


def test_all_members_are_restarted_one_by_one(
    members: Members, primary: Member, load: Load
) -> None:
    for member in sorted(members, key=Member.is_primary):
        member.end()
        report("a member is restarted", load)
        member.start()


def test_two_of_three_members_are_lost(members: Members, primary: Member, load: Load) -> None:
    """Without a majority there are no writes."""
    for member in members[:2]:
        member.stop()
    time.sleep(2 * FAULT_SECONDS)
    assert max(client.last_success for client in load.clients) < time.monotonic() - 1
    with ThreadPoolExecutor() as pool:
        list(pool.map(Member.start, members[:2]))
    report("two of three members are lost and back", load)
