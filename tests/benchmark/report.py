"""Tables and a picture of the results of all databases.

``python tests/benchmark/report.py FOLDER`` prints the tables of the results that are in FOLDER;
with those of all databases, it also writes docs/benchmark.md and docs/pictures/benchmark.svg.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from picture import draw

DOCS = Path(__file__).parents[2] / "docs"
TITLES = {"sqlite": "SQLite", "postgres": "PostgreSQL", "mysql": "MariaDB", "mongodb": "MongoDB"}
SERVICES = ("generated", "textbook", "limit", "s3rius")
DRAWN = {"page": "page of 20", "one note": "one note", "PATCH": "PATCH", "create": "create"}
DEEP = "deep page"
LEGEND = "Blue: the generated service. Gray: the textbook's, which is 1. Line: by hand, the limit."
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
    cpu = {service: cost[service]["cpu"] for service in SERVICES if service in cost}
    yield name
    yield from (f"{cpu[service]:.0f}" if service in cpu else "" for service in SERVICES)
    for service in SERVICES[1:]:
        yield f"{cpu['generated'] / cpu[service]:.2f}" if service in cpu else ""
        if service == "textbook":
            yield aim


def of_processes(results: Results) -> str:
    """Return the table of times to ready and of memory."""
    head = " | ".join(f"{service}, {unit}" for unit in ("s", "MB") for service in SERVICES)
    return table(
        f"until ready, and after the load | {head}",
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
    found = {name: each["costs"] for name, each in results.items() if DEEP in each["costs"]}
    rows = [
        [
            TITLES[name],
            *(
                f"{costs[DEEP][s]['wall'] / costs['page of 20'][s]['wall']:.2f}"
                for s in SERVICES[:3]
            ),
        ]
        for name, costs in found.items()
    ]
    head = f"time of a page after 900,000 notes ÷ of the first | {' | '.join(SERVICES[:3])}"
    return table(head, rows) if rows else ""


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


def picture(results: Results) -> str:
    """Return the picture of what requests cost on each database."""
    panels = {}
    for database, found in results.items():
        costs = {label: found["costs"][operation] for label, operation in DRAWN.items()}
        panels[TITLES[database]] = {
            label: (
                cost["generated"]["cpu"] / cost["textbook"]["cpu"],
                cost["limit"]["cpu"] / cost["textbook"]["cpu"],
            )
            for label, cost in costs.items()
        }
    return draw(panels, TITLE, LEGEND)


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
    (DOCS / "pictures").mkdir(exist_ok=True)
    (DOCS / "pictures/benchmark.svg").write_text(picture(results))


if __name__ == "__main__":
    main()
