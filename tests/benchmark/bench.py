"""What a request costs: the generated service beside others on the same database.

``DIR/.venv/bin/python tests/benchmark/bench.py DATABASE`` needs in DIR a project generated for that
database, DIR in ``PYTHONPATH``, and ``TEST_POSTGRES_URL`` or the like. All services have one worker
and are measured in turns, so that whatever else the machine does hits all alike. The results go to
a file beside DIR.
"""

import argparse
import json
import os
import platform
import sqlite3
import sys
import time
from collections import defaultdict
from contextlib import ExitStack
from datetime import date
from importlib.metadata import distributions
from pathlib import Path
from statistics import median
from typing import Any

import costs
import s3rius
from client import Call, run
from data import note_id
from services import (
    GENERATED,
    LIMIT,
    TEXTBOOK,
    Program,
    Service,
    by_hand,
    filled,
    generated,
    measure,
    running,
)

NAMES = (GENERATED, TEXTBOOK, LIMIT)
PAGE, DEEP, ONE, CREATE = "page of 20", "deep page", "one note", "create"
PATCH, HOT = "PATCH", "PATCH, all the same note"
VARYING = {"id", "version", "created_at", "updated_at"}
BODY = '{"content":"Buy oat milk and call the plumber before six"}'
WARM_UP_SECONDS = 0.3
STARTS = 3
PACKAGES = ("fastapi", "uvicorn", "pydantic", "sqlalchemy", "asyncpg", "asyncmy", "pymongo")

Calls = dict[str, dict[str, Call]]
Costs = dict[str, dict[str, dict[str, list[float]]]]
"""By operation, service and kind, what was measured in each round."""


def operations(connections: int, depth: int) -> Calls:
    """Return, of each operation, the request to each service; notes are created last.

    New notes would change the first page.
    """
    page, one = Call(("/notes?limit=20",)), f"/notes/{note_id(0)}"
    each = tuple(f"/notes/{note_id(back)}" for back in range(connections))
    calls = {PAGE: dict.fromkeys(NAMES, page) | {s3rius.NAME: s3rius.PAGE}}
    if depth:
        keyset = Call((f"/notes?limit=20&cursor={note_id(depth - 1)}",))
        offset = Call((f"/notes?limit=20&offset={depth}",))
        calls[DEEP] = {GENERATED: keyset, TEXTBOOK: offset, LIMIT: keyset}
    return calls | {
        ONE: dict.fromkeys(NAMES, Call((one,))),
        PATCH: dict.fromkeys(NAMES, Call(each, "PATCH", BODY)),
        HOT: dict.fromkeys(NAMES, Call((one,), "PATCH", BODY)),
        CREATE: dict.fromkeys(NAMES, Call(("/notes",), "POST", BODY, status=201))
        | {s3rius.NAME: s3rius.CREATE},
    }


def shape(value: Any) -> Any:
    """Return an answer without its envelope and without what may differ from service to service."""
    if isinstance(value, list):
        return [shape(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "data" in value:
        return shape(value["data"])
    return {k: type(v).__name__ if k in VARYING else shape(v) for k, v in value.items()}


def warm_up(services: list[Service], calls: dict[str, Call]) -> None:
    """Warm every service up for an operation, and see that all on one database answer alike."""
    bodies = {s.name: run(calls[s.name], s.port, WARM_UP_SECONDS, 8).body for s in services}
    if any(shape(bodies[name]) != shape(bodies[GENERATED]) for name in NAMES):
        raise SystemExit(f"The services answer differently: {calls}")


def measure_in_turns(services: list[Service], calls: Calls, options: argparse.Namespace) -> Costs:
    """Measure everything in turns."""
    found: Costs = {}
    for operation, by_name in calls.items():
        able = [service for service in services if service.name in by_name]
        warm_up(able, by_name)
        found[operation] = {s.name: {"cpu": [], "wall": [], "rate": []} for s in able}
        for _ in range(options.rounds):
            for service in able:
                call = by_name[service.name]
                cost = measure(service, call, options.seconds, options.connections)
                for kind, value in cost.items():
                    found[operation][service.name][kind].append(value)
    return found


def measure_starts(programs: list[Program]) -> dict[str, float]:
    """Return the seconds of CPU until each service is ready, the median of some starts in turns."""
    found = defaultdict(list)
    for _ in range(STARTS):
        for program in programs:
            with running(program) as service:
                found[service.name].append(service.cpu_seconds())
    return {name: median(seconds) for name, seconds in found.items()}


def measure_writers(services: list[Service], options: argparse.Namespace) -> dict[str, Any]:
    """Return notes a second by the number of clients that create notes."""
    found: dict[str, Any] = {}
    for writers in (1, 4, 16):
        calls = {"": operations(writers, 0)[CREATE]}
        given = argparse.Namespace(**vars(options) | {"connections": writers})
        rates = measure_in_turns(services, calls, given)[""]
        found[str(writers)] = {name: median(cost["rate"]) for name, cost in rates.items()}
    return found


def about(options: argparse.Namespace) -> str:
    """Return what was measured, when and where."""
    server = os.environ.get(f"TEST_{options.database.upper()}_VERSION") or sqlite3.sqlite_version
    found = {each.name.lower(): each.version for each in distributions()}
    packages = ", ".join(f"{name} {found[name]}" for name in PACKAGES if name in found)
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}"
    load = f"{options.notes:,} notes, {options.connections} connections"
    return f"{date.today()}, {machine}, server {server}, {packages}; {load}"


def measure_all(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Return all results of one database."""
    database, depth = options.database, options.notes * 9 // 10
    with filled(database, options.notes, depth) as url, ExitStack() as stack:
        programs = [generated(url), *(by_hand(name, database, url) for name in NAMES[1:])]
        programs.append(stack.enter_context(s3rius.prepared(database, folder)))
        results: dict[str, Any] = {"about": about(options), "ready": measure_starts(programs)}
        services = [stack.enter_context(running(program)) for program in programs]
        calls = operations(options.connections, depth if options.deep else 0)
        results["costs"] = measure_in_turns(services, calls, options)
        results["memory"] = {service.name: service.megabytes() for service in services}
        if database == "sqlite":
            results["writers"] = measure_writers(services, options)
            results["parts"] = costs.measure_parts()
    return results


def main() -> None:
    """Measure and write the results; whatever the numbers, this ends with 0."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("database")
    parser.add_argument("--deep", action="store_true", help="also a page 900,000 notes deep")
    parser.add_argument("--notes", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=0.4, help="of each measure")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--connections", type=int, default=8)
    options = parser.parse_args()
    if options.deep:
        options.notes = 1_000_000
    began, folder = time.perf_counter(), Path(sys.prefix).parents[1]
    results = measure_all(options, folder)
    (folder / f"{options.database}.json").write_text(json.dumps(results, indent=1))
    print(f"{options.database}: {time.perf_counter() - began:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
