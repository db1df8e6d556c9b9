"""What a PromQL expression names: enough of its grammar for rules and dashboards."""

import re

_WORDS = frozenset(
    {
        "by", "without", "on", "ignoring", "group_left", "group_right", "and", "or", "unless", "bool", "offset", "inf",
        "nan",
    }
)  # fmt: skip
_TEXT = r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'"
_MATCHER = re.compile(rf"([a-zA-Z_]\w*)\s*(=~|!~|!=|=)\s*({_TEXT})")
_SELECTOR = re.compile(rf"([a-zA-Z_:][\w:]*)?\s*\{{((?:[^{{}}\"']|{_TEXT})*)\}}")
_GROUPING = re.compile(r"\b(by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_NAME = re.compile(r"(?<![\w.$])([a-zA-Z_:][\w:]*)\s*(?!\s*\()(?![\w:])")


def selectors(expression):
    """Return (metric, ((label, operator, value), …)) for each selector, and the labels that are grouped by."""
    grouped = {name.strip() for _, names in _GROUPING.findall(expression) for name in names.split(",") if name.strip()}
    found = [
        (name, tuple((label, how, value[1:-1]) for label, how, value in _MATCHER.findall(matchers)))
        for name, matchers in _SELECTOR.findall(expression)
    ]
    rest = _SELECTOR.sub(" ", _GROUPING.sub(" ", expression))
    rest = re.sub(r"\[[^\]]*\]", " ", re.sub(_TEXT, " ", rest))
    found += [(name, ()) for name in _NAME.findall(rest) if name not in _WORDS]
    return found, grouped
