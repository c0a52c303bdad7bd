"""Several hosts, tried in turn."""

import asyncio
import time
from collections.abc import Callable

import pytest

from app.kit.storage import sql_async_hosts
from app.kit.storage.sql_async_hosts import Host, Hosts, LastResort

A, B, C = (("a", 1), ("b", 2), ("c", 3))

States = dict[Host, str]
"""What becomes of a connection to each host."""


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Callable[[States], Hosts[Host]]:
    monkeypatch.setattr(sql_async_hosts, "OPERATION_SECONDS", 0.2)

    def make(states: States) -> Hosts[Host]:
        async def connect(host: Host, is_last_resort: bool) -> Host:
            match states[host]:
                case "hangs":
                    await asyncio.sleep(10)
                case "spare" if not is_last_resort:
                    raise LastResort
                case "wrong":
                    raise ValueError("wrong")
            return host

        return Hosts([*states], connect)

    return make


@pytest.mark.parametrize(
    ("states", "chosen"),
    [
        ({A: "good"}, A),
        ({A: "spare"}, A),
        ({A: "good", B: "good"}, A),
        ({A: "hangs", B: "wrong", C: "good"}, C),
        ({A: "spare", B: "hangs", C: "good"}, C),
        ({A: "spare", B: "hangs", C: "wrong"}, A),
    ],
)
async def test_the_first_usable_host_is_chosen(
    opened: Callable[[States], Hosts[Host]], states: States, chosen: Host
) -> None:
    hosts = opened(states)

    assert await hosts.connect() == chosen
    began = time.monotonic()
    states[chosen] = "good"
    assert await hosts.connect() == chosen
    assert time.monotonic() - began < 0.03  # It was the first to be tried.


async def test_what_is_wrong_with_each_host_is_one_line_within_the_limit(
    opened: Callable[[States], Hosts[Host]],
) -> None:
    began = time.monotonic()

    with pytest.raises(ConnectionError) as caught:
        await opened({A: "hangs", B: "wrong", C: "hangs"}).connect()

    assert str(caught.value) == "a:1: TimeoutError: ; b:2: ValueError: wrong; c:3: TimeoutError: "
    assert time.monotonic() - began < 0.2


async def test_the_error_of_the_only_host_stays(
    opened: Callable[[States], Hosts[Host]],
) -> None:
    with pytest.raises(ValueError, match="wrong"):
        await opened({A: "wrong"}).connect()


async def test_a_host_that_is_left_is_not_the_first(
    opened: Callable[[States], Hosts[Host]],
) -> None:
    hosts = opened({A: "good", B: "good"})

    assert await hosts.connect() == A
    hosts.leave(B)
    assert await hosts.connect() == A
    hosts.leave(A)
    assert await hosts.connect() == B
