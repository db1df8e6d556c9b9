"""Was the risk model right? From a book and its prices to every figure of ``rpm backtest``."""

from collections.abc import Callable, Sequence
from datetime import date
from functools import reduce
from math import inf

import numpy as np

from rpmcore.domain.arrays import Vector
from rpmcore.domain.errors import InsufficientData, InvalidArgument, Undefined
from rpmcore.risk.backtesting.coverage import kupiec
from rpmcore.risk.backtesting.forecasts import METHODS_TESTED, Forecasts, rolling_forecasts
from rpmcore.risk.backtesting.independence import independence
from rpmcore.risk.backtesting.monte_carlo import simulate_null
from rpmcore.risk.backtesting.report import (
    BacktestData,
    BacktestReport,
    ForecastSeries,
    MethodScore,
    ViolationDay,
)
from rpmcore.risk.backtesting.scores import diebold_mariano, fissler_ziegel_score, quantile_score
from rpmcore.risk.backtesting.suite import Backtest, backtest
from rpmcore.risk.backtesting.traffic_light import traffic_light
from rpmcore.risk.evaluation import summarise
from rpmcore.risk.notices import Notice, data_notices
from rpmcore.risk.settings import RiskSettings
from rpmcore.risk.student_t import fit_student_t
from rpmcore.risk.valuation import BookInputs, ReturnPanel, day, return_panel, value

Progress = Callable[[int, int], None]

MOST_UNDEFINED = 0.02
"""A method that has no answer on a larger share of the days is not compared."""

LEAST_DOF = 2.1
"""Below two degrees of freedom a law has no variance to scale by."""

FEW_EXPECTED = 5.0
"""With fewer expected violations a test of their number sees only gross errors."""


def backtest_book(
    inputs: BookInputs,
    settings: RiskSettings,
    method: str,
    *,
    compare: bool = False,
    progress: Progress | None = None,
) -> BacktestReport:
    """Return how the forecasts of the model would have done on today's positions, over the whole price history.

    Parameters
    ----------
    inputs, settings
        As for a report; the section ``backtest`` says at which confidence and from how many returns.
    method
        Of `rpmcore.risk.backtesting.forecasts.METHODS_TESTED`.
    compare
        Score every method on the same days.
    progress
        Told how many forecasts are made, and of how many.

    Raises
    ------
    InvalidArgument
        If returns span more than a day: overlapping ones are not independent, and the tests take them to be.
    InsufficientData
        If there is no more history than one window.
    Undefined
        If the book holds nothing.
    """
    if settings.data.return_days > 1:
        raise InvalidArgument(
            "returns over several days overlap, and the tests need independent ones: set data.return_days to 1"
        )
    window = settings.backtest.window or settings.tail_risk.lookback
    panel = return_panel(
        inputs.history,
        inputs.instruments,
        inputs.ways,
        lookback=len(inputs.history.dates),
        minimum=settings.tail_risk.minimum,
    )
    valuation = value(inputs.book, inputs.instruments, panel, inputs.account)
    if not np.any(valuation.weights):
        raise Undefined("every weight is zero: a book that holds nothing has no losses to test forecasts by")
    methods = [method, *(m for m in METHODS_TESTED if m != method)] if compare else [method]
    made: list[Forecasts] = []
    for done, name in enumerate(methods):
        try:
            made.append(
                rolling_forecasts(
                    name, panel, valuation.weights, settings, settings.backtest.confidence, window=window,
                    progress=_of_several(progress, done, len(methods)),
                )
            )  # fmt: skip
        except InsufficientData:
            if name == method:
                raise
    chosen = made[0]
    compared = [m for m in made if m.n_undefined <= MOST_UNDEFINED * (m.n_undefined + len(m.rows))]
    silent = tuple(m for m in METHODS_TESTED if compare and m not in {c.method for c in compared})
    tested = _tested(chosen, settings, _dof(chosen.method, panel.returns @ valuation.weights, settings))
    return BacktestReport(
        book=summarise(inputs, panel, valuation),
        data=BacktestData(
            prices=inputs.history.path,
            n_obs=len(panel.returns),
            n_assets=len(panel.symbols),
            first=_day_of(panel, int(chosen.rows[0])),
            last=_day_of(panel, int(chosen.rows[-1])),
            dropped_rows=panel.dropped_rows,
            notes=inputs.history.notes,
        ),
        method=method,
        confidence=settings.backtest.confidence,
        window=window,
        significance=settings.backtest.significance,
        n=tested.n_obs,
        violations=tested.violations,
        expected=tested.expected,
        rate=tested.rate,
        n_undefined=chosen.n_undefined,
        undefined=chosen.undefined,
        excess=tested.excess,
        tests=tested.tests,
        worst=_worst(chosen, tested, panel),
        series=_series(chosen, panel),
        comparison=_compared(compared, settings) if compare and compared else (),
        warnings=(
            *data_notices(inputs, panel, valuation, settings, {}),
            *_remarks(tested, chosen, silent),
        ),
    )


def _of_several(progress: Progress | None, done: int, total: int) -> Progress | None:
    """Return a progress of one method among `total`, of which `done` are finished."""
    if progress is None:
        return None
    return lambda step, steps: progress(done * steps + step, total * steps)


def _day_of(panel: ReturnPanel, row: int) -> date:
    """Return the day on which a return of the panel ends."""
    return day(panel.dates[row + panel.return_days])


def _dof(method: str, pnl: Vector, settings: RiskSettings) -> float:
    """Return the degrees of freedom of the law whose returns the tests of ES draw: the shape that the method assumes.

    Methods that read past returns assume none. They are given the Student-t law fitted to all of the P&L: under
    a normal one a right model of fat tails would fail more often than it should.
    """
    if method == "normal":
        return inf
    if method == "monte_carlo":
        return settings.simulation.dof if settings.simulation.distribution == "student_t" else inf
    return max(fit_student_t(pnl).dof, LEAST_DOF)


def _tested(made: Forecasts, settings: RiskSettings, dof: float) -> Backtest:
    chosen = settings.backtest
    return backtest(
        made.losses,
        made.value_at_risk,
        made.expected_shortfall,
        confidence=chosen.confidence,
        regime=chosen.regime,
        dof=dof,
        seed=settings.simulation.seed,
        replications=chosen.replications,
        significance=chosen.significance,
    )


def _worst(made: Forecasts, tested: Backtest, panel: ReturnPanel) -> tuple[ViolationDay, ...]:
    found = [
        ViolationDay(
            day=_day_of(panel, int(made.rows[i])),
            loss=float(made.losses[i]),
            value_at_risk=float(made.value_at_risk[i]),
            ratio=float(made.losses[i] / made.value_at_risk[i]),
        )
        for i in tested.rows
        if made.value_at_risk[i] > 0.0
    ]
    return tuple(sorted(found, key=lambda v: -v.ratio))


def _series(made: Forecasts, panel: ReturnPanel) -> ForecastSeries:
    shortfall = made.expected_shortfall
    return ForecastSeries(
        dates=tuple(_day_of(panel, int(row)) for row in made.rows),
        pnl=tuple((-made.losses).tolist()),
        value_at_risk=tuple(made.value_at_risk.tolist()),
        expected_shortfall=None if shortfall is None else tuple(shortfall.tolist()),
    )


def _compared(made: Sequence[Forecasts], settings: RiskSettings) -> tuple[MethodScore, ...]:
    """Return the scores of all methods on the days that all of them have forecasts for."""
    common = reduce(np.intersect1d, [m.rows for m in made])
    confidence = settings.backtest.confidence
    null = simulate_null(
        len(common),
        confidence=confidence,
        seed=settings.simulation.seed,
        replications=settings.backtest.replications,
    )
    scored = []
    for one in made:
        at = np.searchsorted(one.rows, common)
        losses, forecast = one.losses[at], one.value_at_risk[at]
        joint = None
        if one.expected_shortfall is not None:
            try:
                joint = fissler_ziegel_score(losses, forecast, one.expected_shortfall[at], confidence=confidence)
            except Undefined:
                joint = None
        scored.append((one, losses > forecast, quantile_score(losses, forecast, confidence=confidence), joint))
    scored.sort(key=lambda s: (s[3] is None, float(s[3].mean()) if s[3] is not None else float(s[2].mean())))
    best = scored[0]
    rows = []
    for one, hits, quantile, joint in scored:
        coverage = kupiec(hits, confidence=confidence, significance=settings.backtest.significance)
        clusters = independence(
            hits,
            confidence=confidence,
            null=null,
            seed=settings.simulation.seed,
            replications=settings.backtest.replications,
            significance=settings.backtest.significance,
        )
        against = None
        if one is not best[0] and joint is not None and best[3] is not None:
            against = diebold_mariano(joint, best[3])
        rows.append(
            MethodScore(
                method=one.method,
                n=len(common),
                violations=int(hits.sum()),
                expected=len(common) * (1.0 - confidence),
                rate=float(hits.mean()),
                zone=traffic_light(hits, confidence=confidence, regime=settings.backtest.regime).detail["zone"],
                coverage_p_value=coverage.p_value,
                coverage_p_value_reason=coverage.p_value_reason,
                independence_p_value=clusters.p_value,
                independence_p_value_reason=clusters.p_value_reason,
                quantile_score=float(quantile.mean()),
                joint_score=None if joint is None else float(joint.mean()),
                p_value_against_best=None if against is None else against.p_value,
                p_value_against_best_reason=(
                    "it is the best" if one is best[0] else
                    "one of the two has no joint score" if against is None else against.p_value_reason
                ),
                n_undefined=one.n_undefined,
            )
        )  # fmt: skip
    return tuple(rows)


def _remarks(tested: Backtest, made: Forecasts, silent: Sequence[str]) -> tuple[Notice, ...]:
    found = []
    if silent:
        found.append(
            Notice(
                code="not_compared",
                message=f"{', '.join(silent)}: no answer on more than {MOST_UNDEFINED:.0%} of the days, and not "
                "compared: the days left would be the calm ones",
            )
        )
    if made.n_undefined:
        share = made.n_undefined / (made.n_undefined + tested.n_obs)
        found.append(
            Notice(
                code="days_without_forecast",
                message=f"{made.method} had no answer on {made.n_undefined} days ({share:.0%}), which are not tested; "
                f"on the last of them because: {made.undefined}",
            )
        )
    if tested.expected < FEW_EXPECTED:
        found.append(
            Notice(
                code="few_expected_violations",
                message=f"only {tested.expected:.1f} violations are expected on {tested.n_obs} days: the tests see "
                "gross errors alone; give more history or a lower --confidence",
            )
        )
    if _clustered(tested):
        found.append(
            Notice(
                code="violations_cluster",
                message="violations follow one another: the model learns too slowly that the market has changed",
            )
        )
    return tuple(found)


def _clustered(tested: Backtest) -> bool:
    """Return whether a test fails by violations that come together; both also fail by such that keep apart."""
    table, spells = tested.tests["christoffersen"].detail, tested.tests["duration"].detail
    together = table["n11"] * (table["n00"] + table["n01"]) > table["n01"] * (table["n10"] + table["n11"])
    return ("christoffersen" in tested.failed and together) or ("duration" in tested.failed and spells["shape"] < 1.0)
