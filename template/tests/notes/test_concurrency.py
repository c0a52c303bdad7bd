"""What holds when requests come at the same moment."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx2

from tests.notes.test_notes import create

REQUESTS = 24


def all_at_once(request: Callable[[int], httpx2.Response]) -> list[httpx2.Response]:
    """Return the answers to as many requests at the same moment."""
    with ThreadPoolExecutor(REQUESTS) as pool:
        return list(pool.map(request, range(REQUESTS)))


def at_once(request: Callable[[int], httpx2.Response]) -> Counter[int]:
    """Return how often each status came of as many requests at the same moment."""
    return Counter(answer.status_code for answer in all_at_once(request))


def test_of_writers_with_the_same_if_match_one_wins(client: httpx2.Client) -> None:
    path = f"/notes/{create(client)['id']}"

    statuses = at_once(
        lambda i: client.put(path, json={"content": f"by {i}"}, headers={"If-Match": '"1"'})
    )

    assert statuses == {200: 1, 412: REQUESTS - 1}
    assert client.get(path).json()["data"]["version"] == 2


def test_every_send_counts(client: httpx2.Client) -> None:
    path = f"/notes/{create(client)['id']}"

    assert at_once(lambda _: client.post(f"{path}/send")) == {200: REQUESTS}
    note = client.get(path).json()["data"]
    assert (note["times_sent"], note["version"]) == (REQUESTS, REQUESTS + 1)


def test_comments_stop_at_the_limit(client: httpx2.Client) -> None:
    path = f"/notes/{create(client)['id']}/comments"
    for _ in range(90):
        client.post(path, json={"content": "c"})

    assert at_once(lambda _: client.post(path, json={"content": "c"})) == {
        201: 10,
        409: REQUESTS - 10,
    }
    assert len(client.get(path.removesuffix("/comments")).json()["data"]["comments"]) == 100


def test_a_comment_on_a_note_being_deleted_leaves_nothing(client: httpx2.Client) -> None:
    path = f"/notes/{create(client)['id']}"

    def delete_or_comment(i: int) -> httpx2.Response:
        if i == REQUESTS // 2:
            return client.delete(path)
        return client.post(f"{path}/comments", json={"content": "c"})

    statuses = at_once(delete_or_comment)

    assert statuses[204] == 1
    assert statuses[201] + statuses[404] == REQUESTS - 1
    assert client.get(path).status_code == 404


def test_what_was_written_is_read(client: httpx2.Client) -> None:
    def write_and_read(_: int) -> httpx2.Response:
        return client.get(client.post("/notes", json={"content": "x"}).headers["Location"])

    assert at_once(write_and_read) == {200: REQUESTS}
