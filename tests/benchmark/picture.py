"""The picture of the results: SVG that follows the reader's light or dark mode."""

from collections.abc import Iterator, Mapping
from xml.sax.saxutils import escape

WIDTH, ROW, PANEL_WIDTH, BAR = 760, 22, 380, 12
LEFT, SCALE, TOP, HEAD = 80, 220, 56, 34
"""Where bars begin in a panel, the length of 1, where panels begin, and a panel's head."""
STYLE = """
  text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328 }
  .title { font-size: 15px; font-weight: 600 }
  .panel { font-weight: 600 }
  .note { fill: #59636e }
  .textbook { fill: #d1d9e0 }
  .generated { fill: #0969da }
  .limit { stroke: #1f2328; stroke-width: 2 }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc }
    .note { fill: #9198a1 }
    .textbook { fill: #3d444d }
    .generated { fill: #4493f8 }
    .limit { stroke: #f0f6fc }
  }
"""
Ratios = Mapping[str, tuple[float, float]]
"""Of each operation, the generated service and the limit, as parts of the textbook's service."""


def draw(panels: Mapping[str, Ratios], title: str, legend: str) -> str:
    """Return the picture; each panel has a name and the ratios of some operations."""
    rows = max(len(ratios) for ratios in panels.values())
    height = HEAD + rows * ROW + 16
    total = TOP + (len(panels) + 1) // 2 * height
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {total}" role="img">',
        f"<title>{escape(title)}</title><style>{STYLE}</style>",
        _text(0, 18, title, "title"),
        _text(0, 38, legend, "note"),
    ]
    for number, (name, ratios) in enumerate(panels.items()):
        x, y = number % 2 * PANEL_WIDTH, TOP + number // 2 * height
        parts.append(_text(x, y + 20, name, "panel"))
        parts += _bars(ratios, x, y + HEAD)
    return "\n".join([*parts, "</svg>\n"])


def _bars(ratios: Ratios, x: int, y: int) -> Iterator[str]:
    for number, (operation, (generated, limit)) in enumerate(ratios.items()):
        top, begin = y + number * ROW, x + LEFT
        yield _text(x, top + BAR - 2, operation)
        yield _bar(begin, top, 1, "textbook")
        yield _bar(begin, top, generated, "generated")
        end = begin + limit * SCALE
        yield f'<path class="limit" d="M{end:.1f} {top - 2}v{BAR + 4}"/>'
        yield _text(begin + max(1, generated) * SCALE + 6, top + BAR - 2, f"{generated:.2f}")


def _bar(x: float, y: float, ratio: float, kind: str) -> str:
    length = ratio * SCALE
    return f'<rect class="{kind}" x="{x}" y="{y}" width="{length:.1f}" height="{BAR}" rx="2"/>'


def _text(x: float, y: float, text: str, kind: str = "") -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" class="{kind}">{escape(text)}</text>'
