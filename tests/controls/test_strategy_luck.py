"""How often a strategy is disabled by chance, against what the manual says."""

import re
from math import sqrt
from pathlib import Path

import numpy as np
import pytest

from rpmcore.controls.strategy_settings import StrategySettings
from rpmcore.controls.strategy_tracker import StrategyPerformanceTracker
from rpmcore.domain.trades import ClosedTrade

DAY = 86_400 * 10**9
MANUAL = Path(__file__).parents[2] / "docs" / "strategies.md"
DEVIATIONS = (0.005, 0.01, 0.02)
SETTINGS = StrategySettings(resamples=200)


def manual():
    """Return edge → shares disabled, one for each deviation, as the table says."""
    rows = re.findall(
        r"^\| ([−\d.]+)[^|]*\| (\d+) % \| (\d+) % \| (\d+) % \|$", MANUAL.read_text("utf-8"), re.MULTILINE
    )
    return {float(edge.replace("−", "-")): [int(share) / 100 for share in shares] for edge, *shares in rows}


def is_disabled(pnl):
    """Say whether the score falls below the level from the 30th trade on, one trade a day."""
    tracker = StrategyPerformanceTracker("luck", 1.0, SETTINGS)
    for i, x in enumerate(pnl):
        at = i * DAY
        tracker.record(
            ClosedTrade(trade_id=str(i), strategy_id="luck", symbol="X", side="buy", opened_at=at, closed_at=at, pnl=x)
        )
        score = tracker.health(at).score if i >= SETTINGS.minimum_trades - 1 else None
        if score is not None and score < SETTINGS.disable_below:
            return True
    return False


def share_disabled(edge, deviation, runs, seed=11):
    draws = deviation * np.random.default_rng(seed).normal(edge, 1.0, (runs, 60))
    return sum(is_disabled(pnl) for pnl in draws.tolist()) / runs


@pytest.mark.parametrize(("edge", "column"), [(-0.2, 0), (0.0, 1), (0.1, 1), (0.2, 2)])
def test_the_manual_tells_how_often_chance_disables(edge, column):
    told, runs = manual()[edge][column], 400
    error = sqrt(told * (1.0 - told) * (1 / runs + 1 / 2000))
    assert share_disabled(edge, DEVIATIONS[column], runs) == pytest.approx(told, abs=0.005 + 3.0 * error)


def test_the_larger_the_edge_and_the_smaller_the_trades_the_fewer_are_disabled():
    table = manual()
    assert sorted(table) == [-0.2, 0.0, 0.1, 0.2]
    for column in range(3):
        shares = [table[edge][column] for edge in sorted(table)]
        assert shares == sorted(shares, reverse=True)
    assert all(row == sorted(row) for row in table.values())
