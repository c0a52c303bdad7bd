"""The commands in the documents, for those who type them."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import ROOT, Made, Run, commit, environment, files, in_place_of, render

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCED = re.compile(r"^```(\w*)\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"^    (.*)$", re.MULTILINE)
INLINE = re.compile(r"`((?:make|uv|uvx|alembic|copier|\.venv/bin/[^\s`]+) [^`]+)`")
START = re.compile(r"(?:\$ )?(?:[A-Z_]+=\S+ )*((?:make|app|uv|uvx|alembic|\.venv/bin/\S+)(?: .*)?)")
TARGET = re.compile(r"^([a-z.-]+):", re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")
NAMED_TEST = re.compile(r"`(test_\w+)`")
NAMED_FILE = re.compile(r"`((?:kit|tests|tools)/[\w/.-]+\.py)`")


def commands(page: Path) -> list[str]:
    """Return what is to be typed: each part of each pipe, in blocks and in running text."""
    text = page.read_text()
    lines = [
        line for kind, code in FENCED.findall(text) if kind == "bash" for line in code.split("\n")
    ]
    text = FENCED.sub("", text)
    typed = [*lines, *INDENTED.findall(text), *INLINE.findall(text)]
    parts = [re.sub(r" +#.*", "", p).strip() for line in typed for p in re.split(r"\||&&", line)]
    return [match[1] for part in parts if (match := START.fullmatch(part))]


@pytest.fixture(scope="session")
def pages(installed: Made) -> list[Path]:
    """The documents, and the README of a project."""
    return [*PAGES, *(installed("adaptable") / name for name in ("README.md", "AGENTS.md"))]


def test_commands_are_found(pages: list[Path]) -> None:
    found = {command for page in pages for command in commands(page)}

    assert {"make dev", "make demo", ".venv/bin/app dump", ".venv/bin/alembic merge heads"} <= found


def test_no_command_needs_what_a_fresh_project_has_not(pages: list[Path]) -> None:
    typed = [(page.name, command) for page in pages for command in commands(page)]

    bare = [(name, c) for name, c in typed if c.split()[0] in ("app", "alembic", "uv", "uvx")]
    assert bare == [  # Before there is a project.
        ("README.md", "uvx copier copy gh:OWNER/adaptable-backend my-service"),
        ("generate.md", "uvx 'copier>=9.19.1'"),
    ]


def test_each_target_is_in_a_makefile(installed: Made, pages: list[Path]) -> None:
    makefiles = [ROOT / "Makefile", installed("adaptable") / "Makefile"]
    targets = {name for path in makefiles for name in TARGET.findall(path.read_text())}

    for page in pages:
        for command in commands(page):
            words = shlex.split(command)
            if words[0] == "make":
                named = {word for word in words[1:] if re.fullmatch(r"[a-z.][a-z.-]*", word)}
                assert named <= targets, (page.name, command)


def test_each_program_of_a_project_has_the_options_that_are_named(
    installed: Made, pages: list[Path]
) -> None:
    home = installed("adaptable")
    typed = {c for page in pages for c in commands(page) if c.startswith(".venv/bin/")}

    for command in sorted(typed):
        program, *words = shlex.split(command)
        subcommands = [word for word in words[:1] if not word.startswith("-")]
        if program.endswith("/uvx"):
            assert (home / program).exists()
            continue
        shown = in_place_of(home, home, "sqlite", Path(program).name, *subcommands, "--help")
        for option in re.findall(r"(?<= )--[a-z-]+", command):
            assert option in shown, command


def test_one_command_begins_a_revision_for_each_kind_of_database(
    template: Path, installed: Made, tmp_path: Path
) -> None:
    render(template, "adaptable", tmp_path)
    shutil.copy(installed("adaptable") / "uv.lock", tmp_path)
    commit(tmp_path, "Locked")
    shell = environment("sqlite") | {"DATABASE_URL": "mongodb://127.0.0.1:9/nowhere"}

    for _ in range(2):
        run = ["make", "migration", "m=add bookmarks"]
        subprocess.run(run, cwd=tmp_path, env=shell, check=True, capture_output=True)

    written = [path.name for path in tmp_path.glob("src/app/migrations/*/versions/*bookmarks.py")]
    assert len(written) == 4
    assert {"0002_add_bookmarks.py", "0003_add_bookmarks.py"} <= set(written)


def test_links_lead_somewhere() -> None:
    for page in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")):
        for name, anchor in LINK.findall(page.read_text()):
            target = page.parent / name if name else page
            assert target.exists(), (page, name)
            assert not anchor or anchor in anchors(target), (page, name, anchor)


def anchors(page: Path) -> set[str]:
    """Return the names by which links lead to the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", text.lower()).replace(" ", "-") for text in headings}


def test_decisions_name_tests_and_files_that_exist() -> None:
    paths = [f"/{name}" for name in files(ROOT)]
    code = [path[1:] for path in paths if "tests/" in path and path.endswith(".py")]
    tests = "".join((ROOT / path).read_text() for path in code)

    for page in (ROOT / "docs/decisions").glob("*.md"):
        text = page.read_text()
        unknown = {name for name in NAMED_TEST.findall(text) if f"def {name}(" not in tests}
        wrong = {f for f in NAMED_FILE.findall(text) if not any(p.endswith(f"/{f}") for p in paths)}
        assert not unknown | wrong, page.name


def test_make_feature_prints_what_its_page_says(rendered: Made, tmp_path: Path, run: Run) -> None:
    project = shutil.copytree(rendered("sqlite"), tmp_path / "project")
    text = FENCED.sub("", (ROOT / "docs/extend.md").read_text())
    shown = "\n".join(INDENTED.findall(text))
    steps = [step.partition("\n") for step in shown.split("$ make feature ")[1:]]

    for variables, _, said in steps:
        done = run(project, "make", **dict(word.split("=", 1) for word in shlex.split(variables)))

        assert done.returncode == 0, done.stderr
        assert without_ids(said) in ([], without_ids(done.stdout))
    assert [bool(said) for *_, said in steps] == [True, False, True]


def without_ids(printed: str) -> list[str]:
    """Return the lines that were printed, without the random parts of names of revisions."""
    return re.sub(r"[0-9a-f]{12}_", "", printed).splitlines()
