"""The commands of the tour in README.md print what it says."""

import re
import shlex
import subprocess
from argparse import ArgumentParser
from pathlib import Path

import httpx2

from conftest import ROOT, Made, environment
from test_faults import serving

CHANGING = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<=date: ).*|(?<=latency_ms\":)[0-9.]+"
    r"|\d{4}-\d\d-\d\dT[0-9:.]+Z"
)
LEFT_OUT = ("x-content-type-options", "referrer-policy", "cache-control", "content-security-policy")


def steps() -> list[tuple[str, str]]:
    """Return the commands of the tour, each with what it is said to print."""
    text = (ROOT / "README.md").read_text()
    tour = text[text.index("## A tour") : text.index("## What is promised")]
    code = "\n".join(line for line in tour.splitlines() if not line or line.startswith("    "))
    return [step.partition("\n")[::2] for step in code.split("    $ ")[1:]]


def curl(address: str, *words: str) -> str:
    """Return what curl prints with the same options."""
    parser = ArgumentParser()
    parser.add_argument("path", type=lambda url: url.removeprefix("127.0.0.1:3000"))
    for flag in ("-s", "-i"):
        parser.add_argument(flag, action="store_true")
    for option in ("-X", "-H", "--json"):
        parser.add_argument(option)
    options = parser.parse_args(words)
    headers = {"Content-Type": "application/json"} if options.json else {}
    if options.H:
        name, value = options.H.split(": ")
        headers[name] = value
    method = options.X or ("POST" if options.json else "GET")
    answer = httpx2.request(method, address + options.path, content=options.json, headers=headers)
    status = f"HTTP/1.1 {answer.status_code} {answer.reason_phrase}"
    head = [status, *(f"{name}: {value}" for name, value in answer.headers.items()), ""]
    return "\n".join((head if options.i else []) + [answer.text])


def bare(text: str, said: str) -> str:
    """Return a text without what changes, is left out, or is where a line ends."""
    lines = CHANGING.sub("…", text).splitlines()
    kept = [line for line in lines if line.partition(":")[0] not in LEFT_OUT or line in said]
    return re.sub(r"\s", "", "".join(kept))


def test_the_tour_prints_what_readme_says(installed: Made, tmp_path: Path) -> None:
    project, url = installed("sqlite"), f"sqlite:///{tmp_path / 'app.db'}"
    with serving(project, url, tmp_path) as address:
        seed = [str(project / ".venv/bin/app"), "seed"]
        subprocess.run(seed, env=environment("sqlite") | {"DATABASE_URL": url}, check=True)
        note = ""
        for command, said in steps():
            if command.startswith("note="):
                note = httpx2.get(f"{address}/notes").json()["data"][0]["id"]
            else:
                words = shlex.split(command.replace("$note", f"/notes/{note}"))
                assert bare(curl(address, *words[1:]), said) == bare(said, said), command
