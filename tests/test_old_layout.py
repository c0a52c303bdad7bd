"""From the first layout, before the platform had a folder of its own, to today's."""

import subprocess
import sys
from pathlib import Path

import pytest

from conftest import OLD_LAYOUT, Made, Tool, commit, files, in_place_of, render, run_tests, tree

MOVED = {
    "src/app/logs.py": "src/app/kit/logs.py",
    "src/app/http/metrics.py": "src/app/kit/http/metrics.py",
    "tests/authorities/token.py": "tests/kit/verifiers/token.py",
}
GONE = "src/app/transfer/files.py"
OWN = {
    "src/app/greeting.py": 'GREETING = "Hello"\n',
    "src/app/hours.py": "from app.http.metrics import measure\nfrom app import logs\n"
    "from app.http.routing import Route\n",
}
MINE = "\n# Mine.\n"


def live_in(project: Path) -> None:
    """Do what an owner of that time did: files that move, that go, that stay, and own ones."""
    for name in (*MOVED, GONE, "src/app/notes/seeds.py"):
        with (project / name).open("a") as file:
            file.write(MINE)
    for name, text in OWN.items():
        (project / name).write_text(text)
    commit(project, "Lived in")


@pytest.mark.parametrize("database", ["sqlite", "adaptable"])
def test_an_untouched_project_becomes_like_a_new_one(
    template: Path, rendered: Made, tmp_path: Path, tool: Tool, database: str
) -> None:
    """By the tool that it has: the default, and the one with every file."""
    render(template, database, tmp_path, OLD_LAYOUT)

    assert tool(tmp_path, "update") == 0

    assert tree(tmp_path) == tree(rendered(database))


def test_its_own_tool_keeps_and_names_all_edits(
    template: Path, tmp_path: Path, tool: Tool, capfd: pytest.CaptureFixture[str]
) -> None:
    render(template, "sqlite", tmp_path, OLD_LAYOUT)
    live_in(tmp_path)

    tool(tmp_path, "update")

    printed = capfd.readouterr().out
    for name in (*MOVED, GONE):
        assert f"    saved/{name}.saved\n" in printed
        assert (tmp_path / f"saved/{name}.saved").read_text().endswith(MINE)


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_the_newest_tool_moves_edits_along(
    template: Path, rendered: Made, installed: Made, tmp_path: Path, database: str
) -> None:
    """As docs/update.md says, from a clone of the template."""
    render(template, database, tmp_path, OLD_LAYOUT)
    live_in(tmp_path)
    command = [sys.executable, str(template / "template/tools/template.py"), "update"]

    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)

    assert run.returncode == 0, run.stdout + run.stderr
    printed = run.stdout
    wanted = tree(rendered(database))
    for old, new in MOVED.items():
        assert f"    {old} -> {new}\n" in printed.partition("with your edits")[2]
        assert (tmp_path / new).read_bytes() == wanted[new] + MINE.encode()
    assert f"    saved/{GONE}.saved\n" in printed
    modules = ("http.metrics", "http.routing", "logs")
    stale = ", ".join(f"app.{name} (now app.kit.{name})" for name in modules)
    assert f"    src/app/hours.py: {stale}\n" in printed
    assert set(files(tmp_path)) - wanted.keys() == {*OWN, f"saved/{GONE}.saved"}
    (tmp_path / "src/app/hours.py").unlink()
    home = installed("adaptable")
    run_tests(home, tmp_path, database, "kit/test_auth")
    in_place_of(home, tmp_path, database, "python", "-c", "import app.greeting")
