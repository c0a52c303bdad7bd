"""The answers to `auth`, on SQLite, in one project each; an answer can be changed later."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Made, Tool, commit, in_place_of, render, run_tests, tree

ANSWERS = ("token", "oidc", "none")
WORDS = {
    "token": re.compile(r"AUTH_TOKENS|app token"),
    "oidc": re.compile(r"oidc|openid|jwt|jwks", re.IGNORECASE),
}
ANY_WORD = re.compile(r"bearer|public_paths|^src/.*\b40[13]\b", re.IGNORECASE | re.DOTALL)


@pytest.mark.parametrize("auth", ANSWERS)
def test_no_word_of_another_answer(template: Path, tmp_path: Path, auth: str) -> None:
    render(template, "sqlite", tmp_path, auth=auth)

    unwanted = [word for answer, word in WORDS.items() if answer != auth]
    unwanted += [ANY_WORD] if auth == "none" else []
    for name, content in tree(tmp_path).items():
        for word in unwanted:
            assert not word.search(name + content.decode()), name


def test_the_answer_can_be_changed(template: Path, tmp_path: Path, tool: Tool) -> None:
    project = tmp_path / "project"
    render(template, "sqlite", project)

    for auth in ("oidc", "none", "token"):
        render(template, "sqlite", wanted := tmp_path / auth, auth=auth)
        assert tool(project, "answer", f"auth={auth}") == 0
        assert tree(project) == tree(wanted)
        commit(project, f"Changed to {auth}")


def test_a_switch_of_the_engine_keeps_the_answer(
    template: Path, tmp_path: Path, tool: Tool
) -> None:
    project, wanted = tmp_path / "project", tmp_path / "wanted"
    render(template, "sqlite", project, auth="none")
    render(template, "postgres", wanted, auth="none")

    assert tool(project, "switch", "postgres") == 0

    assert tree(project) == tree(wanted)


def test_without_authentication_a_project_passes_its_checks(
    template: Path, installed: Made, tmp_path: Path
) -> None:
    home = installed("sqlite")
    render(template, "sqlite", tmp_path, auth="none")

    in_place_of(home, tmp_path, "sqlite", "ruff", "format", "--check")
    in_place_of(home, tmp_path, "sqlite", "ruff", "check")
    in_place_of(home, tmp_path, "sqlite", "mypy", f"--cache-dir={home / '.mypy_cache'}", ".")
    run_tests(installed("adaptable"), tmp_path, "sqlite", "kit/test_http")


def test_with_an_issuer_a_project_passes_its_checks(installed: Callable[..., Path]) -> None:
    home = installed("sqlite", "oidc")

    in_place_of(home, home, "sqlite", "ruff", "format", "--check")
    in_place_of(home, home, "sqlite", "ruff", "check")
    in_place_of(home, home, "sqlite", "mypy", ".")
    run_tests(home, home, "sqlite", "kit/test_auth")
