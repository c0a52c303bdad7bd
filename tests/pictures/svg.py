"""Small pictures in SVG: text stays text, and colours follow the reader's preference."""

from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

STYLE = """
svg { --page: #ffffff; --text: #1f2328; --soft: #59636e; --line: #d1d9e0; --yours: #ddf4ff;
  --platform: #f6f8fa; --accent: #0969da; color-scheme: light dark }
@media (prefers-color-scheme: dark) { svg { --page: #0d1117; --text: #e6edf3; --soft: #9198a1;
  --line: #3d444d; --yours: #12304f; --platform: #151b23; --accent: #4493f8 } }
text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; fill: var(--text);
  white-space: pre }
.soft { fill: var(--soft) } .accent { fill: var(--accent); font-weight: 600 }
rect { stroke: var(--line); fill: var(--platform) } .yours { fill: var(--yours) }
.page { fill: var(--page) } path { stroke: var(--soft); fill: none }
"""


@dataclass
class Picture:
    """A picture that grows as something is put into it."""

    title: str
    width: int = 840
    height: int = 0
    parts: list[str] = field(default_factory=list)

    def text(self, x: float, y: float, text: str, kind: str = "") -> None:
        """Put a line of text at its base line."""
        self._reach(y)
        self.parts.append(f'<text x="{x:g}" y="{y:g}"{_of(kind)}>{escape(text)}</text>')

    def box(self, x: float, y: float, width: float, height: float, kind: str = "") -> None:
        """Put a box with its upper left corner."""
        self._reach(y + height)
        size = f'width="{width:g}" height="{height:g}" rx="6"'
        self.parts.append(f'<rect x="{x:g}" y="{y:g}" {size}{_of(kind)}/>')

    def arrow(self, x: float, y: float, to_x: float, to_y: float) -> None:
        """Put a line with a head that points down."""
        head = f"M{to_x - 4:g} {to_y - 6:g}L{to_x:g} {to_y:g}L{to_x + 4:g} {to_y - 6:g}"
        self.parts.append(f'<path d="M{x:g} {y:g}L{to_x:g} {to_y:g}{head}"/>')

    def write(self, path: Path) -> None:
        """Write the file."""
        height = self.height + 20
        size = f'viewBox="0 0 {self.width} {height}" width="{self.width}" height="{height}"'
        page = f'<rect class="page" width="{self.width}" height="{height}" rx="8"/>'
        head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">'
        parts = [head, f"<title>{escape(self.title)}</title>", f"<style>{STYLE}</style>", page]
        path.write_text("\n".join((*parts, *self.parts, "</svg>", "")))

    def _reach(self, y: float) -> None:
        self.height = max(self.height, round(y))


def _of(kind: str) -> str:
    return f' class="{kind}"' if kind else ""
