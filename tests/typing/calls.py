"""Calls as a user writes them, for a type checker alone: nothing here runs.

A line that must be refused says so by what it ignores; a checker that finds nothing to ignore there fails.
"""

from pathlib import Path
from typing import Any, assert_type

import polars as pl

import rpmcore
from rpmcore.audit_jobs import AuditTrail, AuditVerification
from rpmcore.controls.limits_report import LimitsReport, RegimeReport
from rpmcore.controls.strategy_report import StrategiesReport
from rpmcore.domain.portfolio import Book
from rpmcore.domain.prices import PriceHistory
from rpmcore.domain.trades import TradeHistory
from rpmcore.gate_jobs import GateRunReport
from rpmcore.gate_status import GateStatus, KillSwitchStatus
from rpmcore.policy_diff import PolicyDiff
from rpmcore.proof import Proof
from rpmcore.risk.backtesting.report import BacktestReport
from rpmcore.risk.exposure.report import ExposureReport
from rpmcore.risk.report import Evaluation
from rpmcore.risk.sizing.report import SizingReport
from rpmcore.risk.stress.reverse_study import ReverseReport
from rpmcore.risk.stress.study import StressReport
from rpmcore.risk.stress.suite_study import SuiteReport


def reads(frame: pl.DataFrame) -> None:
    assert_type(rpmcore.read_book("book.parquet"), Book)
    assert_type(rpmcore.read_book(frame, capital=1e6), Book)
    assert_type(rpmcore.read_prices(Path("prices.csv"), ["MSFT"]), PriceHistory)
    assert_type(rpmcore.read_trades(frame), TradeHistory)
    assert_type(rpmcore.load_settings("rpm.yaml", ["limits.beta=1.5"]), rpmcore.Settings)


def measures(frame: pl.DataFrame, book: Book, prices: PriceHistory, settings: rpmcore.Settings) -> None:
    result = rpmcore.evaluate(frame, frame, settings=settings, correlation=frame)
    assert_type(result, Evaluation)
    assert_type(result.volatility.annual, float)
    assert_type(result.tail_risk[0].value_at_risk, float | None)
    assert_type(result.to_dict(), dict[str, Any])
    assert_type(result.tables, tuple[str, ...])
    assert_type(rpmcore.evaluate(book, prices), Evaluation)
    assert_type(rpmcore.exposure(book, factors=Path("factors.parquet")), ExposureReport)
    assert_type(rpmcore.backtest(book, prices, method="normal"), BacktestReport)
    assert_type(rpmcore.limits(book), LimitsReport)
    assert_type(rpmcore.regime(history=True), RegimeReport)
    assert_type(rpmcore.strategies(frame), StrategiesReport)
    assert_type(rpmcore.size("MSFT", side="buy", entry=240.0, stop=230.0, book=book), SizingReport)
    crises = rpmcore.chosen_crises(["lehman2008"])
    assert_type(rpmcore.stress(book, prices, crises=crises, modes=["replay"]), StressReport)
    assert_type(rpmcore.reverse_stress(book, loss=0.1), ReverseReport)
    assert_type(rpmcore.synthetic_stress(book, n_simulations=100), SuiteReport)
    assert_type(rpmcore.scenarios(), rpmcore.HistoricalCrisisLibrary)


def gates(signal: rpmcore.Signal, settings: rpmcore.Settings) -> None:
    assert_type(rpmcore.gate_run("signals.parquet", "book.parquet", settings=settings), GateRunReport)
    assert_type(rpmcore.gate_status(Path("desk.ledger")), GateStatus)
    assert_type(rpmcore.killswitch_status("desk.ledger"), KillSwitchStatus)
    assert_type(rpmcore.decide("desk.ledger", signal), rpmcore.Decision)
    assert_type(rpmcore.what_if("desk.ledger", lambda _: signal, at=None), rpmcore.Decision)
    assert_type(rpmcore.what_if_of_book("book.parquet", signal), rpmcore.Decision)
    assert_type(rpmcore.prove("desk.ledger"), Proof)
    assert_type(rpmcore.compare_policies("desk.ledger", changes=["limits.beta=1.5"]), PolicyDiff)
    assert_type(rpmcore.audit_verify("desk.ledger").ok, bool)
    assert_type(rpmcore.audit_verify("desk.ledger", anchors=[b"{}"]), AuditVerification)
    assert_type(rpmcore.audit_show("desk.ledger", last=5), AuditTrail)


def refused(result: Evaluation, signal: rpmcore.Signal) -> None:
    rpmcore.evalute("book.parquet")  # type: ignore[attr-defined]
    rpmcore.evaluate(42)  # type: ignore[arg-type]
    rpmcore.evaluate({"symbol": ["MSFT"]})  # type: ignore[arg-type]
    rpmcore.evaluate("book.parquet", confidence=0.99)  # type: ignore[call-arg]
    rpmcore.evaluate("book.parquet", settings="rpm.yaml")  # type: ignore[arg-type]
    rpmcore.stress("book.parquet", crises="lehman2008")  # type: ignore[arg-type]
    rpmcore.reverse_stress("book.parquet")  # type: ignore[call-arg]
    rpmcore.size("MSFT", side="long", entry=240.0)  # type: ignore[arg-type]
    rpmcore.decide("desk.ledger", "MSFT")  # type: ignore[arg-type]
    rpmcore.gate_status(None)  # type: ignore[arg-type]
    rpmcore.gate_status.path  # type: ignore[attr-defined]  # noqa: B018
    result.volatility.anual  # type: ignore[attr-defined]  # noqa: B018
    result.to_arrow(3)  # type: ignore[arg-type]
    signal.quantity + 1.0  # type: ignore[operator]
