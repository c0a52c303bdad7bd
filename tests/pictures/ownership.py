"""The picture of what is whose in a generated project: its files, counted."""

from pathlib import Path

from svg import Picture

PLATFORM = ("src/app/kit", "tests/kit", "tools")
OWNER = ("src/app/notes", "src/app/migrations", "src/app", "tests/notes", "tests")
BAR = 400


def lines_below(folder: Path, name: str) -> tuple[int, int]:
    """Return how many files and lines of Python are below a path, without those listed before."""
    others = [folder / each for each in (*PLATFORM, *OWNER) if each.startswith(f"{name}/")]
    files = [
        path
        for path in (folder / name).rglob("*.py")
        if ".venv" not in path.parts and not any(path.is_relative_to(each) for each in others)
    ]
    return len(files), sum(len(path.read_text().splitlines()) for path in files)


def draw(folder: Path, to: Path) -> None:
    """Write the picture of a project."""
    counted = {name: lines_below(folder, name) for name in (*OWNER, *PLATFORM)}
    most = max(lines for _, lines in counted.values())
    picture = Picture("What is yours, and what is the platform's")
    y = 34
    for title, names, kind in (
        ("Yours: change it as you like", OWNER, "yours"),
        ("The platform: make update renews it, and merges what you changed", PLATFORM, ""),
    ):
        files, lines = (sum(counted[name][part] for name in names) for part in (0, 1))
        picture.text(20, y, title, "accent")
        picture.text(820 - 8 * 24, y, f"{files:>3} files {lines:>6,} lines", "soft")
        for name in names:
            files, lines = counted[name]
            y += 26
            picture.text(20, y, f"{name}/", "soft" if not kind else "")
            picture.box(200, y - 13, max(lines / most * BAR, 3), 17, kind)
            picture.text(820 - 8 * 24, y, f"{files:>3} files {lines:>6,} lines", "soft")
        y += 40
    picture.write(to)
