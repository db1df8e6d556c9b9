"""Draw the six mappings of the health score from the code that computes it."""

from html import escape

from rpmcore.controls.strategy_health import MAPPINGS, SHARES, mapped
from rpmcore.controls.strategy_settings import HealthWeights

AXES = {
    "win_rate": "win rate − break-even rate",
    "expectancy": "mean P&L, in R or average losses",
    "maximum_drawdown": "deepest drawdown in the lookback",
    "current_drawdown": "drawdown now",
    "trend": "recent − before, standard errors",
    "edge_confidence": "1 − p of the test of an edge",
}
"""What the horizontal axis of each panel measures."""

WIDTH, HEIGHT, GAP = 210, 120, 62
LEFT, TOP, COLUMNS = 52, 44, 3
MARGIN = 0.3
"""How far an axis reaches beyond the sloping part, as a part of it."""

INK, LINE, GRID = "#222", "#1f5fa8", "#ccc"


def figure() -> str:
    """Return the drawing as the text of an SVG file."""
    rows = -(-len(MAPPINGS) // COLUMNS)
    width = LEFT + COLUMNS * (WIDTH + GAP) - GAP + 20
    height = TOP + rows * (HEIGHT + GAP + 20) - 26
    told = "; ".join(_told(name) for name in MAPPINGS)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'role="img" aria-labelledby="title description" font-family="sans-serif" font-size="11">',
        '<title id="title">How each component of the health score is mapped to a score from 0 to 1</title>',
        f'<desc id="description">Six straight lines, flat beyond their ends. {escape(told)}.</desc>',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for i, name in enumerate(MAPPINGS):
        row, column = divmod(i, COLUMNS)
        lines += _panel(name, LEFT + column * (WIDTH + GAP), TOP + row * (HEIGHT + GAP + 20))
    return "\n".join([*lines, "</svg>"]) + "\n"


def _panel(name: str, left: int, top: int) -> list[str]:
    worst, best, _ = MAPPINGS[name]
    low, high = min(worst, best), max(worst, best)
    first, last = low - MARGIN * (high - low), high + MARGIN * (high - low)
    if name.endswith("drawdown"):
        first = max(first, 0.0)
    if name == "edge_confidence":
        last = min(last, 1.0)

    def x(measured: float) -> float:
        return round(left + WIDTH * (measured - first) / (last - first), 1)

    def y(score: float) -> float:
        return round(top + HEIGHT * (1.0 - score), 1)

    weight = getattr(HealthWeights(), name)
    bottom, middle = top + HEIGHT, left + WIDTH / 2
    corners = dict.fromkeys([first, low, high, last])
    points = " ".join(f"{x(measured)},{y(mapped(name, measured))}" for measured in corners)
    lines = [
        f'<text x="{middle}" y="{top - 14}" text-anchor="middle" font-weight="bold" fill="{INK}">'
        f"{name.replace('_', ' ')}, weight {weight:.0%}</text>",
    ]
    for score in (0.0, 0.5, 1.0):
        lines.append(f'<line x1="{left}" y1="{y(score)}" x2="{left + WIDTH}" y2="{y(score)}" stroke="{GRID}"/>')
        lines.append(f'<text x="{left - 6}" y="{y(score) + 4}" text-anchor="end" fill="{INK}">{score:g}</text>')
    for measured in (low, (low + high) / 2, high):
        at, written = x(measured), _number(name, measured)
        lines.append(f'<line x1="{at}" y1="{bottom}" x2="{at}" y2="{bottom + 4}" stroke="{INK}"/>')
        lines.append(f'<text x="{at}" y="{bottom + 16}" text-anchor="middle" fill="{INK}">{written}</text>')
    axis = top + HEIGHT / 2
    return [
        *lines,
        f'<polyline points="{points}" fill="none" stroke="{LINE}" stroke-width="2"/>',
        f'<text x="{middle}" y="{bottom + 32}" text-anchor="middle" fill="{INK}">{escape(AXES[name])}</text>',
        f'<text x="{left - 34}" y="{axis}" text-anchor="middle" fill="{INK}" '
        f'transform="rotate(-90 {left - 34} {axis})">score</text>',
    ]


def _told(name: str) -> str:
    worst, best, _ = MAPPINGS[name]
    return f"{name.replace('_', ' ')}: 0 at {_number(name, worst)}, 1 at {_number(name, best)}"


def table() -> list[str]:
    """Return the same as a table in Markdown."""
    lines = ["| component | weight | what is measured | scores 0 at | scores 1 at |", "|---|---|---|---|---|"]
    for name, (worst, best, words) in MAPPINGS.items():
        weight, ends = getattr(HealthWeights(), name), (_number(name, worst), _number(name, best))
        lines.append(f"| {name.replace('_', ' ')} | {weight:.0%} | {words} | {ends[0]} | {ends[1]} |")
    return lines


def _number(name: str, measured: float) -> str:
    text = f"{round(100 * measured, 1) + 0.0:g} %" if name in SHARES else f"{round(measured, 3) + 0.0:g}"
    return text.replace("-", "−")
