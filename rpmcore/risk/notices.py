"""What a careful colleague would say about a book and its data before its figures are used."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from rpmcore.domain.errors import InsufficientData
from rpmcore.risk.portfolio_risk import RiskMetrics
from rpmcore.risk.settings import RiskSettings
from rpmcore.risk.valuation import BookInputs, ReturnPanel, Valuation

UNCHANGED_DAYS = 5
"""A last close that stood still for so many days is called stale."""


REPAIR = 0.01
"""Frobenius distance from which on a repaired correlation matrix is told."""

PRICE_TOLERANCE = 0.20
"""Relative distance of a book's price from the last close that is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One warning: a code for machines and a sentence for people."""

    code: str
    message: str


def notices(
    inputs: BookInputs, panel: ReturnPanel, valuation: Valuation, metrics: RiskMetrics, settings: RiskSettings
) -> tuple[Notice, ...]:
    """Return the warnings on a book, in the order in which they matter.

    Raises
    ------
    InsufficientData
        If more rows than ``data.dropped_error`` allows had to be dropped.
    """
    lookbacks = {"covariance": settings.covariance.lookback, "tail_risk": settings.tail_risk.lookback}
    found = (
        *_on_data(inputs, panel, valuation, settings, lookbacks),
        *_law(metrics, panel, valuation, settings),
        *_correlation(inputs, metrics),
        *_thin_tail(metrics, settings),
        *_simulation(metrics, settings),
    )
    return tuple(Notice(code=code, message=message) for code, message in found)


def data_notices(
    inputs: BookInputs,
    panel: ReturnPanel,
    valuation: Valuation,
    settings: RiskSettings,
    lookbacks: Mapping[str, int],
) -> tuple[Notice, ...]:
    """Return the warnings on a book's prices; `lookbacks` are the returns asked for. Raises as `notices`."""
    found = _on_data(inputs, panel, valuation, settings, lookbacks)
    return tuple(Notice(code=code, message=message) for code, message in found)


def _on_data(
    inputs: BookInputs,
    panel: ReturnPanel,
    valuation: Valuation,
    settings: RiskSettings,
    lookbacks: Mapping[str, int],
) -> Iterator[tuple[str, str]]:
    yield from _assumptions(inputs)
    yield from _dropped(panel, inputs.history.path, settings)
    yield from _dates(inputs, panel, settings, lookbacks)
    yield from _prices(panel, valuation)
    yield from _mismatches(inputs, panel)
    yield from _clocks(inputs, settings)


def _assumptions(inputs: BookInputs) -> Iterator[tuple[str, str]]:
    if inputs.sample_prices:
        yield "sample_prices", "no prices given: these are the sample prices that come with rpm; say --prices"
    if inputs.account_assumed:
        yield (
            "account_currency_assumed",
            f"nobody named the account currency, so {inputs.account} is assumed; say --base-currency",
        )
    unknown = [i.symbol for i in inputs.instruments.values() if not i.known and i.base_currency is None]
    named = {h.symbol for h in inputs.book.holdings if h.currency is not None}
    assumed = [symbol for symbol in unknown if symbol not in named]
    if assumed:
        yield (
            "currency_assumed",
            f"{listed(assumed)}: not in the reference data, so prices are taken to be in {inputs.account}; "
            "add a column 'currency' to the book to say otherwise",
        )


def _dropped(panel: ReturnPanel, source: str, settings: RiskSettings) -> Iterator[tuple[str, str]]:
    if not panel.dropped_rows:
        return
    share = panel.dropped_share
    worst = [f"{symbol} {count}" for symbol, count in panel.missing.items()]
    total = panel.dropped_rows + len(panel.dates)
    message = f"{panel.dropped_rows} of {total} rows lack a price and are left out ({listed(worst)})"
    if share > settings.data.dropped_warning:
        message += f": that is {share:.0%}, and returns span the gaps"
    if share > settings.data.dropped_error:
        raise InsufficientData(
            f"{source}: {message}: more than {settings.data.dropped_error:.0%}. Give instruments that trade "
            "on the same days, or leave out of the book those that do not"
        )
    serious = share > settings.data.dropped_warning
    yield "many_dropped_rows" if serious else "dropped_rows", message


def _dates(
    inputs: BookInputs, panel: ReturnPanel, settings: RiskSettings, lookbacks: Mapping[str, int]
) -> Iterator[tuple[str, str]]:
    days = panel.dates.astype("datetime64[D]")
    gaps = np.busday_count(days[:-1], days[1:])
    wide = np.flatnonzero(gaps > settings.data.maximum_gap)
    if len(wide):
        first = [f"{days[i]} to {days[i + 1]}" for i in wide]
        yield (
            "gap",
            f"{len(wide)} return(s) span more than {settings.data.maximum_gap} business days: {listed(first)}",
        )
    history_end = inputs.history.dates[-1].astype("datetime64[D]")
    reference = max(history_end, np.datetime64(inputs.as_of, "D")) if inputs.as_of else history_end
    age = int(np.busday_count(days[-1], reference))
    if age > settings.data.maximum_gap:
        late = [
            symbol
            for i, symbol in enumerate(inputs.history.symbols)
            if inputs.history.dates[np.flatnonzero(np.isfinite(inputs.history.closes[:, i]))[-1]]
            < inputs.history.dates[-1]
        ]
        who = f" because of {listed(late)}" if late else ""
        yield (
            "stale_price",
            f"prices that all share end on {days[-1]}, {age} business days before {reference}{who}",
        )
    obs = panel.returns.shape[0]
    for name, wanted in lookbacks.items():
        if obs < wanted:
            yield "thin_history", f"{obs} returns where {name}.lookback asks for {wanted}"


def _prices(panel: ReturnPanel, valuation: Valuation) -> Iterator[tuple[str, str]]:
    extreme = np.argwhere((panel.returns <= -0.99) | (panel.returns >= 9.0))
    if len(extreme):
        told = [
            f"{panel.symbols[j]} {panel.returns[i, j]:+.0%} on {panel.dates[i + panel.return_days]}"
            for i, j in extreme[:4]
        ]
        yield (
            "extreme_return",
            f"{len(extreme)} daily move(s) of -99 % or +900 % and beyond: {listed(told)}; "
            "check for a split or a misplaced decimal point",
        )
    held = valuation.weights != 0.0
    still = held & (panel.unchanged_days >= UNCHANGED_DAYS)
    if still.any():
        names = [s for s, stale in zip(panel.symbols, still, strict=True) if stale]
        yield "stale_price", f"{listed(names)}: the last close has not moved for {UNCHANGED_DAYS} days or more"
    constant = held & (panel.returns == panel.returns[0]).all(axis=0)
    if constant.any():
        names = [s for s, flat in zip(panel.symbols, constant, strict=True) if flat]
        yield (
            "constant_series",
            f"{listed(names)}: the return is the same every day, so its risk is taken to be nil",
        )


def _mismatches(inputs: BookInputs, panel: ReturnPanel) -> Iterator[tuple[str, str]]:
    closes = dict(zip(panel.symbols, panel.last_closes.tolist(), strict=True))
    apart = [
        f"{h.symbol} {h.price:g} against {closes[h.symbol]:g}"
        for h in inputs.book.holdings
        if h.price is not None and abs(h.price / closes[h.symbol] - 1.0) > PRICE_TOLERANCE
    ]
    if apart:
        yield (
            "price_mismatch",
            f"the book's price is more than {PRICE_TOLERANCE:.0%} from the last close ({listed(apart)}); "
            "check for a split, a unit such as pence, or another day",
        )


def _clocks(inputs: BookInputs, settings: RiskSettings) -> Iterator[tuple[str, str]]:
    groups: dict[str, list[str]] = {}
    for profile in (*inputs.profiles.values(), *inputs.beside.values()):
        instrument = profile.instrument
        if instrument.clock is not None:
            groups.setdefault(str(instrument.clock), []).append(instrument.symbol)
    if len(groups) > 1:
        told = "; ".join(f"{clock}: {listed(symbols)}" for clock, symbols in groups.items())
        yield (
            "unsynchronised_clocks",
            f"closes are fixed at different hours ({told}); one-day correlations between the groups are biased toward "
            "zero; returns over two days lessen it (--set data.return_days=2)"
            if settings.data.return_days == 1
            else f"closes are fixed at different hours ({told}); returns over {settings.data.return_days} days lessen "
            "the bias of correlations between the groups, they do not remove it",
        )


def _law(
    metrics: RiskMetrics, panel: ReturnPanel, valuation: Valuation, settings: RiskSettings
) -> Iterator[tuple[str, str]]:
    gross = float(np.abs(valuation.row_weights).sum())
    if gross > settings.data.leverage_warning:
        yield "leverage", f"gross exposure is {gross:.2f} times capital"
    if not np.any(valuation.weights):
        yield (
            "zero_weights",
            "every weight is zero: there is nothing to lose, and no position has a share of the risk",
        )
    n_obs, n_assets = metrics.covariance.n_obs, len(panel.symbols)
    if n_assets > n_obs:
        yield (
            "more_assets_than_rows",
            f"{n_assets} instruments on {n_obs} returns: the unshrunk covariance has rank {n_obs} at most",
        )
    if metrics.fit_reason is not None:
        yield "no_student_t", metrics.fit_reason
    elif metrics.fit is not None and metrics.fit.dof <= 2.0:
        yield (
            "infinite_variance",
            f"the fitted Student-t law has {metrics.fit.dof:.2f} degrees of freedom: its variance is infinite",
        )


def _correlation(inputs: BookInputs, metrics: RiskMetrics) -> Iterator[tuple[str, str]]:
    repaired, given = metrics.covariance.given_correlation, inputs.correlation
    if repaired is not None and given is not None and repaired.distance > REPAIR:
        yield (
            "correlation_repaired",
            f"{given.source}: no returns can have these correlations (smallest eigenvalue "
            f"{repaired.smallest_eigenvalue:.3g}); the nearest that can be is used, {repaired.distance:.3g} away",
        )


def _thin_tail(metrics: RiskMetrics, settings: RiskSettings) -> Iterator[tuple[str, str]]:
    n_obs = len(metrics.pnl)
    for confidence in settings.tail_risk.confidences:
        if (1.0 - confidence) * n_obs < 1.0 and {"historical", "filtered_historical"} & {*settings.tail_risk.methods}:
            yield (
                "tail_too_thin",
                f"{n_obs} returns hold no loss beyond their {confidence:.10g} quantile: historical figures there are "
                "the worst day seen; see extreme_value",
            )


def _simulation(metrics: RiskMetrics, settings: RiskSettings) -> Iterator[tuple[str, str]]:
    wanted = settings.simulation.precision
    simulated = [risk for risk in metrics.tail_risk if risk.method == "monte_carlo"]
    if wanted is None or not simulated:
        return
    reached = max(
        float("inf") if error is None else error / value if error > 0.0 and value else 0.0
        for risk in simulated
        for error, value in (
            (risk.value_at_risk_error, risk.value_at_risk),
            (risk.expected_shortfall_error, risk.expected_shortfall),
        )
    )
    if reached > wanted:
        yield (
            "precision_not_reached",
            f"{simulated[0].n_paths:,} paths, the most allowed, leave a relative standard error of {reached:.2g} where "
            f"{wanted:g} is asked for; --sampling sobol needs fewer",
        )


def listed(names: list[str], most: int = 4) -> str:
    """Return names separated by commas, the first few and how many more."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
