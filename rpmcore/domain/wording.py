"""How numbers and names are written for people: the same in a terminal and on a page."""

from datetime import UTC, datetime

METHOD_NAMES = {
    "historical": "historical",
    "filtered_historical": "filtered hist.",
    "normal": "normal",
    "student_t": "Student-t fit",
    "cornish_fisher": "Cornish–Fisher",
    "extreme_value": "extreme value",
    "monte_carlo": "Monte Carlo",
    "ewma": "EWMA-normal",
}
"""How each method of value at risk is called."""

TESTED_METHODS = {**METHOD_NAMES, "limit": "limit measure"}
"""The same, and the measure that limits bind on."""

LIMIT_NAMES = {
    "value_at_risk": "VaR",
    "expected_shortfall": "CVaR",
    "volatility": "Volatility",
    "sector": "Sector",
    "beta": "Beta",
    "factor_exposure": "Factors",
    "currency": "Currency",
    "single_name": "Single name",
    "gross_exposure": "Gross",
    "leverage": "Leverage",
}
"""How each limit is called."""

MULTIPLES = frozenset({"beta", "factor_exposure", "leverage"})
"""Limits on sums of loadings and on multiples of equity; every other limit is a fraction."""

TEST_NAMES = {
    "kupiec": "Kupiec",
    "christoffersen": "Christoffersen",
    "conditional_coverage": "Conditional",
    "duration": "Duration",
    "dynamic_quantile": "Dynamic quant.",
    "traffic_light": "Traffic light",
    "acerbi_szekely": "Acerbi–Székely 2",
    "acerbi_szekely_conditional": "Acerbi–Székely 1",
    "mcneil_frey": "McNeil–Frey",
}
"""How each test of a backtest is called."""

TEST_QUESTIONS = {
    "kupiec": "as many violations as promised?",
    "christoffersen": "does one follow another?",
    "conditional_coverage": "both together?",
    "duration": "are they evenly far apart?",
    "dynamic_quantile": "could they be foreseen?",
    "traffic_light": "supervisor's zone",
    "acerbi_szekely": "is CVaR large enough?",
    "acerbi_szekely_conditional": "… on days of violation?",
    "mcneil_frey": "are losses beyond VaR as CVaR says?",
}
"""What each test asks."""


def printable(text: str) -> str:
    """Return text from a file without what a terminal would obey: control and direction characters become ``�``."""
    return "".join(c if c.isprintable() else "�" for c in text)


def percent(value: float | None, digits: int = 2) -> str:
    """Return a fraction as per cent, or a dash."""
    return "–" if value is None else f"{round(value, digits + 2) + 0.0:.{digits}%}"


def amount(value: float | None) -> str:
    """Return money with separators and no decimals, or a dash."""
    return "–" if value is None else f"{value:,.0f}"


def moment(at: int) -> str:
    """Return a time in UTC nanoseconds to the second."""
    seconds, rest = divmod(at, 1_000_000_000)
    found = datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000)
    return found.strftime("%Y-%m-%d %H:%M:%S")


def quantity(value: float | None) -> str:
    """Return a number of units with separators and only the decimals that it has, or a dash."""
    return "–" if value is None else f"{value:,.0f}" if value == int(value) else f"{value:,.8g}"


def measured(name: str, value: float | None) -> str:
    """Return a value of one limit in its own form, or a dash."""
    return percent(value) if value is None or name not in MULTIPLES else f"{value:.2f}"


def probability(p_value: float | None) -> str:
    """Return a p-value, or a dash."""
    if p_value is None:
        return "–"
    return "<0.001" if p_value < 0.001 else f"{p_value:.3f}"


def backtest_verdict(name: str, verdict: str) -> str:
    """Return what a test of a backtest found; the traffic light has colours for verdicts."""
    if name == "traffic_light":
        return {"pass": "GREEN", "warn": "YELLOW", "fail": "RED"}.get(verdict, verdict.upper())
    return verdict.upper()
