"""CPU and time of a request: the generated service, a textbook one, and the hand-written limit.

``DIR/.venv/bin/python tests/benchmark/bench.py DATABASE`` needs in DIR a project generated for that
database, and ``TEST_POSTGRES_URL`` or ``TEST_MONGODB_URL``. All three services run on one database,
one worker each, and are measured in turns, so that whatever else the machine does hits all alike.
"""

import argparse
import sys
import time
from collections import defaultdict
from contextlib import ExitStack
from statistics import median
from typing import Any, NamedTuple

from client import Call, run
from data import note_id
from services import GENERATED, LIMIT, TEXTBOOK, Service, filled, running

NAMES = (GENERATED, TEXTBOOK, LIMIT)
PAGE, DEEP, ONE, CREATE = OPERATIONS = ("page of 20", "deep page", "one note", "create")
ALLOWED = {
    "postgres": {PAGE: 0.3, ONE: 0.35, CREATE: 0.35},
    "mongodb": {PAGE: 0.6, ONE: 0.8},
}
"""What the generated service may cost of the textbook's CPU and time."""
ALLOWED_DEPTH = 1.2
"""What a deep page may cost of the first."""
VARYING = {"id", "created_at", "updated_at"}
WARM_UP_SECONDS = 0.3


class Cost(NamedTuple):
    """Microseconds of a request: of the service's CPU, and until the answer."""

    cpu: float
    wall: float


Costs = dict[tuple[str, str], list[Cost]]


def calls(depth: int) -> dict[str, dict[str, Call]]:
    """Return, of each operation, the request to each service."""
    keyset = Call(f"/notes?limit=20&cursor={note_id(depth - 1)}")
    content = '{"content":"Buy oat milk and call the plumber before six"}'
    return {
        PAGE: dict.fromkeys(NAMES, Call("/notes?limit=20")),
        DEEP: {
            **dict.fromkeys(NAMES, keyset),
            TEXTBOOK: Call(f"/notes?limit=20&offset={depth}"),
        },
        ONE: dict.fromkeys(NAMES, Call(f"/notes/{note_id(0)}")),
        CREATE: dict.fromkeys(NAMES, Call("/notes", "POST", content, status=201)),
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


def check_alike(services: list[Service], by_name: dict[str, Call]) -> None:
    """Warm every service up for an operation, and see that all answer it alike."""
    bodies = [run(by_name[s.name], s.port, WARM_UP_SECONDS, 8).body for s in services]
    if any(shape(body) != shape(bodies[0]) for body in bodies):
        raise SystemExit(f"The services answer differently: {by_name}")


def measure(service: Service, call: Call, seconds: float, connections: int) -> Cost:
    """Load one service with one request for some seconds."""
    before = service.cpu_seconds()
    load = run(call, service.port, seconds, connections)
    cpu = (service.cpu_seconds() - before) * 1e6 / len(load.milliseconds)
    return Cost(cpu, median(load.milliseconds) * 1e3)


def measure_all(
    services: list[Service], calls: dict[str, dict[str, Call]], options: argparse.Namespace
) -> Costs:
    """Measure everything in turns; notes are created last, as they change the first page."""
    costs: Costs = defaultdict(list)
    for operations in ((PAGE, DEEP), (ONE,), (CREATE,)):
        for operation in operations:
            check_alike(services, calls[operation])
        for _ in range(options.rounds):
            for operation in operations:
                for service in services:
                    call = calls[operation][service.name]
                    cost = measure(service, call, options.seconds, options.connections)
                    costs[operation, service.name].append(cost)
    return costs


def table(costs: Costs, allowed: dict[str, float]) -> str:
    """Return the medians as a table in Markdown."""
    cpu = {key: median(cost.cpu for cost in found) for key, found in costs.items()}
    wall = {key: median(cost.wall for cost in found) for key, found in costs.items()}
    lines = [
        f"| CPU, µs a request | {' | '.join(NAMES)} | generated ÷ textbook | in time | at most |",
        "|---|" + "---:|" * (len(NAMES) + 3),
    ]
    for operation in OPERATIONS:
        cells = [f"{cpu[operation, name]:.0f}" for name in NAMES]
        for of in (cpu, wall):
            cells.append(f"{of[operation, GENERATED] / of[operation, TEXTBOOK]:.3f}")
        lines.append(f"| {operation} | {' | '.join(cells)} | {allowed.get(operation, '')} |")
    lines += ["", f"| deep page ÷ first | {' | '.join(NAMES)} | at most |"]
    lines += ["|---|" + "---:|" * (len(NAMES) + 1)]
    for title, of in (("CPU", cpu), ("time to the answer", wall)):
        cells = [f"{of[DEEP, name] / of[PAGE, name]:.2f}" for name in NAMES]
        lines.append(f"| {title} | {' | '.join(cells)} | {ALLOWED_DEPTH} |")
    return "\n".join(lines)


def main() -> None:
    """Measure and print; whatever the numbers, this ends with 0."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("database", choices=ALLOWED)
    parser.add_argument("--notes", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=0.8, help="of each measure")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=8)
    options = parser.parse_args()
    database, depth, began = options.database, options.notes * 9 // 10, time.perf_counter()
    with filled(database, options.notes, depth) as url, ExitStack() as stack:
        took = time.perf_counter() - began
        services = [stack.enter_context(running(name, database, url)) for name in NAMES]
        costs = measure_all(services, calls(depth), options)
    print(f"{database}, {options.notes:,} notes, deep page after {depth:,}.\n")
    print(table(costs, ALLOWED[database]), end="\n\n")
    print(f"{time.perf_counter() - began:.0f} s, {took:.0f} of them to load", file=sys.stderr)


if __name__ == "__main__":
    main()
