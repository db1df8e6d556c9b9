"""From a matplotlib figure to SVG that stands inside a page: coloured by its style sheet, with ids of its own.

One drawing serves a light page, a dark one and paper: every colour is a variable of the style sheet. Text stays text,
in the page's font. The same figure gives the same bytes: nothing in it tells of a clock or of chance.
"""

import io
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any

from rpmcore.domain.wording import printable

INK, MUTED, GRID, PAPER = "#1b2127", "#5b6570", "#dde2e7", "#fefefe"
BLUE, RED, ORANGE, TEAL, PURPLE, FAINT = "#1f5fa8", "#b3261e", "#b4540a", "#0f766e", "#6b3fa0", "#9db4cf"
COLOURS = {
    INK: "ink", MUTED: "muted", GRID: "grid", PAPER: "paper", BLUE: "blue", RED: "red", ORANGE: "orange",
    TEAL: "teal", PURPLE: "purple", FAINT: "faint",
}  # fmt: skip
"""Each colour of a drawing, and the variable of the style sheet that stands for it."""

WIDTH = 9.0
"""Of a drawing in inches, 72 units each; the page scales it to its own width."""

STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "rpm",
    "path.simplify": False,
    "font.family": ["DejaVu Sans"],
    "font.size": 9.5,
    "axes.edgecolor": MUTED,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "axes.labelcolor": INK,
    "axes.labelsize": 9.5,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlecolor": INK,
    "axes.unicode_minus": True,
    "figure.facecolor": "none",
    "figure.edgecolor": "none",
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "legend.fontsize": 9.0,
    "legend.labelcolor": INK,
    "lines.linewidth": 1.4,
    "patch.edgecolor": "none",
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.color": MUTED,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 9.0,
    "ytick.labelsize": 9.0,
}
"""What differs from matplotlib's own defaults; a user's matplotlibrc takes no part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A drawing of the page.

    Attributes
    ----------
    name
        Unique in the page.
    title, description
        What it shows, and what can be seen in it, in words for those who do not see it.
    svg
        The drawing, to be put into the page as it is.
    """

    name: str
    title: str
    description: str
    svg: str


def chart(
    name: str, title: str, description: str, height: float, draw: Callable[[Any], None], width: float = WIDTH
) -> Chart:
    """Return a chart.

    Parameters
    ----------
    name, title, description
        As in `Chart`.
    height
        In inches.
    draw
        Draws on the empty figure that it is given.
    width
        In inches.
    """
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    style: dict[Any, Any] = {k: v for k, v in matplotlib.rcParamsDefault.items() if not k.startswith("backend")}
    style.update(STYLE)
    written = io.StringIO()
    with matplotlib.rc_context(style), warnings.catch_warnings():
        # A symbol in a script that the measuring font lacks is measured a little wrong, and written right.
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasSVG(figure)
        draw(figure)
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    svg = inlined(written.getvalue(), name, title, description)
    return Chart(name=name, title=title, description=description, svg=svg)


def label(text: str, longest: int = 24) -> str:
    """Return a name from a file as a label: what cannot be printed is replaced, what is too long is cut."""
    shown = printable(text)
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def inlined(svg: str, name: str, title: str, description: str) -> str:
    """Return what matplotlib wrote as an element of a page."""
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>\s*|<style[^>]*>.*?</style>", "", body, flags=re.DOTALL)
    body = _coloured(_own_ids(body.replace("xlink:href=", "href="), name))
    size = re.search(r'viewBox="([^"]*)"', body)
    assert size is not None  # noqa: S101 - matplotlib writes one
    opening = (
        f'<svg viewBox="{size[1]}" role="img" aria-labelledby="{name}-title {name}-description">'
        f'<title id="{name}-title">{escape(title)}</title>'
        f'<desc id="{name}-description">{escape(description)}</desc>'
    )
    return _shorter(opening + body[body.index(">") + 1 :])


def _own_ids(body: str, name: str) -> str:
    """Return the drawing without the ids that nothing refers to; the others begin with its name."""
    used = set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', body))
    wanted = {one or other for one, other in used}
    body = re.sub(r' id="([^"]+)"', lambda m: f' id="{name}-{m[1]}"' if m[1] in wanted else "", body)
    body = re.sub(r'href="#([^"]+)"', lambda m: f'href="#{name}-{m[1]}"', body)
    return re.sub(r"url\(#([^)]+)\)", lambda m: f"url(#{name}-{m[1]})", body)


def _coloured(body: str) -> str:
    """Return the drawing with the variables of the style sheet in place of colours, and in the page's font."""

    def restyled(found: re.Match[str]) -> str:
        style = re.sub(r"font-family:[^;\"]*;? ?", "", found[0])
        style = style.replace("image-rendering:crisp-edges;", "")
        return re.sub(r"#[0-9a-f]{6}", lambda colour: f"var(--{COLOURS[colour[0]]})", style)

    return re.sub(r'style="[^"]*"', restyled, body)


def _shorter(body: str) -> str:
    """Return the same drawing in fewer bytes: hundredths of a unit, and no blanks between elements."""
    body = re.sub(r' transform="rotate\(-?0 [^"]*\)"', "", body)
    body = re.sub(r"base64,[^\"]*", lambda m: m[0].replace("\n", ""), body)
    body = re.sub(r'( d|points)="([^"]*)"', lambda m: f'{m[1]}="{_rounded(" ".join(m[2].split()))}"', body)
    body = re.sub(r' (x|y|x1|x2|y1|y2|width|height)="([\d.-]+)"', lambda m: f' {m[1]}="{_rounded(m[2])}"', body)
    body = re.sub(r"<g>\s*</g>|<defs>\s*</defs>", "", body)
    return re.sub(r">\s+<", "><", body).strip()


def _rounded(text: str) -> str:
    return re.sub(r"-?\d+\.\d{3,}", lambda m: f"{float(m[0]):.2f}".rstrip("0").rstrip("."), text)
