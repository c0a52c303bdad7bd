"""Clients that write to one service, read from another, and remember what was acknowledged."""

import threading
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any
from uuid import uuid4

import httpx2

LONGEST_SECONDS = 5.0
HEALED_SECONDS = 20.0
PAUSE_SECONDS = 0.02
RETRY_SECONDS = 0.1


@dataclass
class Note:
    """What was acknowledged of a note, and how often it was sent at most."""

    path: str
    content: str
    sends: int = 0
    sends_asked: int = 0
    comments: set[str] = field(default_factory=set)

    def flaws(self, found: dict[str, Any] | None) -> list[str]:
        """Return what a resource lacks of the note, or has twice."""
        if not found:
            return [f"lost: {self.path}"]
        comments = Counter(comment["content"] for comment in found["comments"])
        flaws = {
            "lost: content": found["content"] != self.content,
            "lost: comments": self.comments - comments.keys(),
            "doubled: comments": [text for text, number in comments.items() if number > 1],
            "lost: sendings": found["times_sent"] < self.sends,
            "doubled: sendings": found["times_sent"] > self.sends_asked,
        }
        return [f"{flaw} of {self.path}" for flaw, is_there in flaws.items() if is_there]


class Client:
    """Works until it is stopped; requests with a key are sent until they are acknowledged."""

    def __init__(self, *addresses: str) -> None:
        patience = httpx2.Timeout(3 * LONGEST_SECONDS)
        self.services = [httpx2.Client(base_url=each, timeout=patience) for each in addresses]
        self.answers: list[httpx2.Response] = []
        self.history: list[str] = []
        self.failures: list[str] = []
        self.notes: list[Note] = []
        self.last_success = 0.0

    def work(self, stopped: threading.Event) -> None:
        """Do one thing after the other, with the services in turns."""
        actions = cycle((self.add, self.add_with_key, self.comment, self.send))
        with ExitStack() as stack:
            one, other = map(stack.enter_context, self.services)
            for number, action in enumerate(actions):
                if stopped.is_set():
                    return
                action(*((one, other) if number % 8 < 4 else (other, one)))
                time.sleep(PAUSE_SECONDS)

    def add(self, writer: httpx2.Client, reader: httpx2.Client) -> None:
        content = str(uuid4())
        answer = self.ask(writer, "POST", "/notes", json={"content": content})
        if answer.is_success:
            self.remember(answer, content)
            self.read(reader)

    def add_with_key(self, writer: httpx2.Client, reader: httpx2.Client) -> None:
        """Send the request once more to the other service: it must be the same note."""
        content = str(uuid4())
        first = self.ask_until_done(writer, "/notes", content)
        again = self.ask_until_done(reader, "/notes", content)
        if first.headers["Location"] != again.headers["Location"]:
            self.failures.append(f"doubled: {content}")
        self.remember(first, content)
        self.read(reader)

    def comment(self, writer: httpx2.Client, reader: httpx2.Client) -> None:
        if self.notes:
            content = str(uuid4())
            self.ask_until_done(writer, f"{self.notes[-1].path}/comments", content)
            self.notes[-1].comments.add(content)
            self.read(reader)

    def send(self, writer: httpx2.Client, reader: httpx2.Client) -> None:
        if self.notes:
            self.notes[-1].sends_asked += 1
            if self.ask(writer, "POST", f"{self.notes[-1].path}/send").is_success:
                self.notes[-1].sends += 1
                self.read(reader)

    def remember(self, answer: httpx2.Response, content: str) -> None:
        """Add an acknowledged note to those of this client."""
        self.notes.append(Note(answer.headers["Location"], content))

    def read(self, reader: httpx2.Client) -> None:
        """Read the newest note, which must be there as it was acknowledged."""
        note = self.notes[-1]
        answer = self.ask(reader, "GET", note.path)
        if answer.status_code == 404:
            self.failures.append(f"missed: {note.path}")
        elif answer.is_success:
            self.failures += [f"read: {flaw}" for flaw in note.flaws(answer.json()["data"])]

    def ask_until_done(self, service: httpx2.Client, path: str, content: str) -> httpx2.Response:
        """Send a request under a key until it is acknowledged."""
        end = time.monotonic() + HEALED_SECONDS
        key = {"Idempotency-Key": content}
        while time.monotonic() < end:
            answer = self.ask(service, "POST", path, json={"content": content}, headers=key)
            if answer.status_code != 503:
                return answer.raise_for_status()
            time.sleep(RETRY_SECONDS)
        raise TimeoutError(f"Not healed after {HEALED_SECONDS} s: {answer.text}")

    def story(self, flaw: str) -> list[str]:
        """Return the requests and answers about the note that a flaw names, and when they were."""
        note_id = flaw.rpartition("/")[2]
        return [line for line in self.history if note_id in line]

    def ask(self, service: httpx2.Client, method: str, path: str, **more: Any) -> httpx2.Response:
        """Send a request, and remember its answer."""
        request = service.build_request(method, path, **more)
        began = time.monotonic()
        answer = service.send(request)
        self.answers.append(answer)
        ended = time.monotonic()
        self.history.append(
            f"{began:.3f} to {ended:.3f}: {method} {request.url} {answer.status_code} {answer.text}"
        )
        if answer.is_success:
            self.last_success = ended
        return answer
