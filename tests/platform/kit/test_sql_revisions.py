"""The revisions that the service finds without Alembic are those that Alembic finds."""

from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from app.kit.migrations import sql

PLAIN = "revision = '{}'\ndown_revision = {!r}\n"
TYPED = "revision: str = '{}'\ndown_revision: str | None = {!r}\nbranch_labels: str\n"
LATER = "import sqlalchemy as sa\n\nTABLE = x = sa.table('revision')\n" + PLAIN


@pytest.mark.parametrize(
    "files",
    [
        [],
        [PLAIN.format("a", None)],
        [TYPED.format("a", None), PLAIN.format("b", "a")],
        [PLAIN.format("a", None), LATER.format("b", "a"), TYPED.format("c", "a")],
        [PLAIN.format(*each) for each in (("a", None), ("b", "a"), ("c", "a"), ("d", ("b", "c")))],
        [PLAIN.format("a", ()), TYPED.format("b", ["a"])],
    ],
)
def test_they_are_the_same(
    files: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql, "VERSIONS", tmp_path)
    for number, text in enumerate(files):
        (tmp_path / f"{number}.py").write_text(text)
    script = ScriptDirectory.from_config(sql.config())

    assert sql.revisions.__wrapped__() == {each.revision for each in script.walk_revisions()}
    monkeypatch.setattr(sql, "revisions", sql.revisions.__wrapped__)
    assert sql.heads.__wrapped__() == {*script.get_heads()}
