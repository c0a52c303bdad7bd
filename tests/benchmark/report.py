"""Tables and a picture of the results of all databases.

``PYTHONPATH=tests python tests/benchmark/report.py FOLDER`` prints the tables of the results in
FOLDER; with those of all databases, it writes docs/benchmark.md and docs/pictures/benchmark.svg.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from operator import truediv
from pathlib import Path
from statistics import median
from typing import Any

from pictures.svg import Picture

DOCS = Path(__file__).parents[2] / "docs"
TITLES = {"sqlite": "SQLite", "postgres": "PostgreSQL", "mysql": "MariaDB", "mongodb": "MongoDB"}
SERVICES = ("generated", "textbook", "limit", "s3rius")
DRAWN = {"page": "page of 20", "one note": "one note", "PATCH": "PATCH", "create": "create"}
PAGE, DEEP = "page of 20", "deep page"
ONE = 190
"""The length of a bar of the textbook's service."""
LEGEND = "Blue: this service. Its frame: a textbook service. The line: written by hand."
TITLE = "CPU of a request, as a part of a textbook service's"
AIMS = {
    "page of 20": (0.22, 0.22, 0.28, 0.95),
    "one note": (0.18, 0.18, 0.28, 0.95),
    "PATCH": (0.20, 0.20, 0.30, 0.95),
    "create": (0.15, 0.15, 0.22, 0.95),
}
Results = dict[str, dict[str, Any]]


def read(folder: Path) -> Results:
    """Return the results that are there, by database."""
    files = {name: folder / f"{name}.json" for name in TITLES}
    return {name: json.loads(file.read_text()) for name, file in files.items() if file.exists()}


def table(head: str, rows: Iterable[Iterable[str]]) -> str:
    """Return a table in Markdown; all but the first column are numbers."""
    columns = head.count("|")
    lines = [f"| {head} |", "|---|" + "---:|" * columns]
    return "\n".join(lines + [f"| {' | '.join(row)} |" for row in rows])


def of_requests(database: str, costs: dict[str, Any]) -> str:
    """Return the table of what requests cost on one database."""
    aims = {name: each[list(TITLES).index(database)] for name, each in AIMS.items()}
    return table(
        f"{TITLES[database]}, µs | {' | '.join(SERVICES)} | ÷ textbook | aim | ÷ limit | ÷ s3rius",
        (_cells(name, cost, str(aims.get(name, ""))) for name, cost in costs.items()),
    )


def _cells(name: str, cost: dict[str, Any], aim: str) -> Iterator[str]:
    yield name
    yield from (f"{median(cost[s]['cpu']):.0f}" if s in cost else "" for s in SERVICES)
    for service in SERVICES[1:]:
        yield f"{ratio(cost, 'generated', service):.2f}" if service in cost else ""
        if service == "textbook":
            yield aim


def ratio(cost: dict[str, Any], one: str, other: str) -> float:
    """Return the median of the ratios of rounds, in which both were measured side by side."""
    return median(map(truediv, cost[one]["cpu"], cost[other]["cpu"]))


def of_processes(results: Results) -> str:
    """Return the table of times to ready and of memory."""
    head = " | ".join(f"{service}, {unit}" for unit in ("s", "MB") for service in SERVICES)
    return table(
        f"CPU until ready, and memory after the load | {head}",
        (
            [
                TITLES[database],
                *(f"{found['ready'][service]:.2f}" for service in SERVICES),
                *(f"{found['memory'][service]:.0f}" for service in SERVICES),
            ]
            for database, found in results.items()
        ),
    )


def of_depth(results: Results) -> str:
    """Return the table of pages after 900,000 notes, if that was measured."""
    names = SERVICES[:3]
    rows = [
        [TITLES[database], *(f"{_depth(found['costs'], name):.2f}" for name in names)]
        for database, found in results.items()
        if DEEP in found["costs"]
    ]
    head = f"time of a page after 900,000 notes ÷ of the first | {' | '.join(names)}"
    return table(head, rows) if rows else ""


def _depth(costs: dict[str, Any], service: str) -> float:
    return median(map(truediv, costs[DEEP][service]["wall"], costs[PAGE][service]["wall"]))


def of_sqlite(found: dict[str, Any]) -> Iterator[str]:
    """Yield the tables of what is measured on SQLite alone."""
    yield table(
        f"notes a second, each durable, by clients that create | {' | '.join(SERVICES)}",
        (
            [writers, *(f"{rates[service]:.0f}" for service in SERVICES)]
            for writers, rates in found["writers"].items()
        ),
    )
    parts = found["parts"].items()
    yield table("what a part adds to a request | µs", ([name, f"{us:.1f}"] for name, us in parts))


def tables(results: Results) -> str:
    """Return everything that was measured."""
    found = [of_requests(name, each["costs"]) for name, each in results.items()]
    found += [of_processes(results), of_depth(results)]
    if "sqlite" in results:
        found += of_sqlite(results["sqlite"])
    return "\n\n".join(filter(None, found))


def draw(results: Results) -> Picture:
    """Return the picture of what requests cost on each database, two beside each other."""
    picture = Picture(TITLE)
    picture.text(20, 30, TITLE, "accent")
    picture.text(20, 52, LEGEND, "soft")
    for number, (database, found) in enumerate(results.items()):
        x, y = 20 + number % 2 * 410, 84 + number // 2 * 140
        picture.text(x, y, TITLES[database], "accent")
        for line, (label, operation) in enumerate(DRAWN.items()):
            _bar(picture, x, y + 12 + 26 * line, label, found["costs"][operation])
    return picture


def _bar(picture: Picture, x: float, y: float, label: str, cost: dict[str, Any]) -> None:
    generated, limit = (ratio(cost, name, "textbook") for name in ("generated", "limit"))
    begin = x + 80
    picture.text(x, y + 13, label)
    picture.box(begin, y, ONE, 16)
    picture.box(begin, y, generated * ONE, 16, "accent")
    picture.box(begin + limit * ONE - 1, y - 2, 2, 20)
    picture.text(begin + max(1, generated) * ONE + 8, y + 13, f"{generated:.2f}")


def main() -> None:
    """Print the tables, and write the files if nothing is missing."""
    results = read(Path(sys.argv[1]))
    text = tables(results)
    print(text)
    if len(results) < len(TITLES):
        return
    measured = "\n".join(f"- {TITLES[name]}: {each['about']}" for name, each in results.items())
    page = DOCS / "benchmark.md"
    start = page.read_text().partition("## Results")[0]
    page.write_text(f"{start}## Results\n\n{measured}\n\n{text}\n")
    draw(results).write(DOCS / "pictures/benchmark.svg")


if __name__ == "__main__":
    main()
