"""Merges what a generator writes differently now into files that may have been edited."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from merge import three_ways
from repository import TemplateError

Texts = Mapping[str, str]
"""The texts of files by their paths."""


@dataclass(frozen=True)
class Change:
    """What becomes of a file: its new text, or ``None`` if it goes.

    One that is not ``wanted`` stays as its owner made it; one that is not ``clean`` has conflicts.
    """

    path: Path
    text: str | None = None
    wanted: bool = True
    clean: bool = True

    def execute(self) -> None:
        """Write or delete the file."""
        if self.text is None:
            self.path.unlink()
        else:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_text(self.text, encoding="utf-8")


def changes(before: Texts, after: Texts) -> Iterator[Change]:
    """Yield what turns the present files, made as ``before`` and edited, into ``after``."""
    for name in sorted(before.keys() | after.keys()):
        old, new, path = before.get(name), after.get(name), Path(name)
        mine = _present(path)
        if old == new or mine == new or (mine is None and old is not None):
            continue  # Nothing is new, or the owner has deleted it.
        if mine in (None, old):
            yield Change(path, new)
        elif old is None or new is None:
            yield Change(path, wanted=False)
        else:
            versions = ((text or "").encode() for text in (mine, old, new))
            merged, is_clean = three_ways(*versions)
            yield Change(path, merged.decode(), clean=is_clean)


def _present(path: Path) -> str | None:
    if any(each.is_symlink() for each in (path, *path.parents)):
        raise TemplateError(f"{path}: by a symbolic link; only files in their place are written")
    try:
        return path.read_text(encoding="utf-8") if path.exists() else None
    except UnicodeDecodeError:
        raise TemplateError(f"{path}: no UTF-8; only text can be merged") from None
