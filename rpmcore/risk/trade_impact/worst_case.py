"""The limited measures of a whole book at the worst outcome of its working orders, before and after one more trade."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, nan, sqrt
from typing import Any, Self

import numpy as np

from rpmcore.domain.arrays import Matrix, Vector, as_matrix, as_vector
from rpmcore.domain.errors import InvalidArgument
from rpmcore.kernels import trade_tail as kernels
from rpmcore.risk.covariance_estimator import CovarianceMatrixEstimator
from rpmcore.risk.incremental import BookVariance
from rpmcore.risk.portfolio_risk import VaRCalculator
from rpmcore.risk.settings import RiskSettings
from rpmcore.risk.trade_impact.impact import TradeImpact, check_trade, target
from rpmcore.risk.trade_impact.norms import WorstNorm
from rpmcore.risk.trade_impact.rules import Rules
from rpmcore.risk.trade_impact.tails import WorstTail, book_pnl
from rpmcore.risk.trade_impact.volatility import OneAsset
from rpmcore.risk.trade_impact.working import WorkingOrders


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WorstCase:
    """A book with its working orders, ready to say what one more trade makes of its volatility, VaR and ES.

    Immutable; made by `WorstCase.of` or `WorstCase.of_returns`. `commit` gives another one after a fill, an approval or
    a cancel. Attributes are for reading; the arrays must not be written to.

    Attributes
    ----------
    rules
        What binds, and the limits.
    estimate, calm
        Variance of the book without its working orders under the covariance of the volatility limit, and under the
        exponentially weighted one of normal VaR and ES.
    by_asset
        (n_assets, n_obs) of the tail window.
    pnl
        (n_obs,) returns of the book without its working orders.
    working
        The working orders.
    volatility, normal
        σ* and σ at the worst outcome; one object where they are the same.
    historical
        Historical VaR and ES at the worst outcome; None where they do not bind.
    """

    rules: Rules
    estimate: BookVariance
    calm: BookVariance
    by_asset: Matrix
    pnl: Vector
    working: WorkingOrders
    volatility: WorstNorm
    normal: WorstNorm
    historical: WorstTail | None

    @classmethod
    def of(
        cls,
        weights: Any,
        covariance: Any,
        window: Any,
        rules: Rules,
        *,
        ewma: Any = None,
        orders: Mapping[int, Sequence[float]] | None = None,
    ) -> Self:
        """Return the book with these weights and working orders.

        Parameters
        ----------
        weights
            (n_assets,) signed market value / capital.
        covariance
            (n_assets, n_assets) per period, behind the volatility limit, without the stress of `rules`.
        window
            (n_obs, n_assets) simple returns of the tail window, whose length `rules` were made for.
        rules
            What binds, and the limits.
        ewma
            (n_assets, n_assets) per period, behind normal VaR and ES; `covariance` by default.
        orders
            Signed weights of the working orders by asset.

        Raises
        ------
        InvalidArgument
            If shapes do not fit, a value is not finite, or there is no such asset.
        """
        held, x = as_vector(weights, "weights"), as_matrix(window, "window")
        if held.shape[0] != x.shape[1]:
            raise InvalidArgument(f"weights has {held.shape[0]} element(s), but window has {x.shape[1]} column(s)")
        estimate = BookVariance.of(held, covariance)
        calm = estimate if ewma is None else BookVariance.of(held, ewma)
        by_asset = np.ascontiguousarray(x.T) if x.shape[1] > 1 else x.reshape(1, -1).copy()
        working = WorkingOrders.of(orders or {}, held.shape[0])
        return cls._with(rules, estimate, calm, by_asset, book_pnl(held, by_asset), working)

    @classmethod
    def of_returns(
        cls,
        returns: Any,
        weights: Any,
        settings: RiskSettings | None = None,
        *,
        stress: float = 0.0,
        orders: Mapping[int, Sequence[float]] | None = None,
    ) -> Self:
        """Return the book with covariances, window and rules as `PortfolioRiskEngine` takes them for its limits.

        Parameters
        ----------
        returns
            (n_obs, n_assets) simple returns, oldest first; see `PortfolioRiskEngine.calculate_comprehensive_risk`.
        weights, orders
            As in `of`.
        settings
            All sections.
        stress
            θ in [0, 1] of the regime, see `Rules.of`.

        Raises
        ------
        InsufficientData
            If there are fewer rows than a minimum.
        Undefined
            If the covariance method has no answer for these rows.
        InvalidArgument
            As `of`, or if `stress` is out of its range.
        """
        chosen = settings or RiskSettings()
        if not 0.0 <= stress <= 1.0:
            raise InvalidArgument(f"stress must lie in [0, 1], but is {stress!r}")
        x, days = as_matrix(returns, "returns"), chosen.data.return_days
        n_obs = len(VaRCalculator(chosen.tail_risk).window(x[:, 0]))
        ewma = CovarianceMatrixEstimator(chosen.covariance, method="ewma").estimate(x, return_days=days)
        matrix: Any = None
        if chosen.covariance.method == "stressed":
            # Its signs follow the weights, so that its θ is part of the rules.
            if chosen.covariance.volatility_multiplier != 1.0:
                matrix = ewma.matrix * chosen.covariance.volatility_multiplier**2
        elif chosen.covariance.method != "ewma":
            matrix = CovarianceMatrixEstimator(chosen.covariance).estimate(x, weights, return_days=days).matrix
        return cls.of(
            weights,
            ewma.matrix if matrix is None else matrix,
            x[-n_obs:],
            Rules.of(chosen, n_obs, ewma.n_effective, stress),
            ewma=None if matrix is None else ewma.matrix,
            orders=orders,
        )

    def impacts(
        self, asset: int, side: float, size: float, smallest: float = 0.0
    ) -> tuple[TradeImpact, TradeImpact, TradeImpact]:
        """Return what a trade does to VaR, ES and volatility, in the order of the report's limits.

        Parameters
        ----------
        asset
            Index of the asset, from 0.
        side
            1 to buy, −1 to sell.
        size
            x ≥ 0 in weight; the trade's own order must not be among the working ones.
        smallest
            Weight of the smallest lot; 0 for any size however small.

        Raises
        ------
        InvalidArgument
            If there is no such asset, the side is not ±1, a size is negative or not finite, or the covariance turns
            out not to be positive semidefinite.
        """
        check_trade(asset, len(self.estimate.weights), side, size, smallest)
        seen = self.volatility.of_asset(self.estimate, asset)
        calm = seen if self.normal is self.volatility else self.normal.of_asset(self.calm, asset)
        tail = self._tail(asset, calm, side, size, smallest)
        return *tail, self._of_norm(
            self.volatility, seen, side, size, smallest, self.rules.volatility, self.rules.volatility_text
        )

    def volatility_impact(
        self, asset: int, side: float, size: float, smallest: float = 0.0, *, limit: float, text: str
    ) -> TradeImpact:
        """Return what a trade does to the volatility per year without stress of correlations, held against `limit`.

        `text` says how it was measured; other arguments and errors are those of `impacts`.
        """
        check_trade(asset, len(self.estimate.weights), side, size, smallest)
        norm = self.normal if self.calm is self.estimate else self.volatility.under(0.0)
        return self._of_norm(norm, norm.of_asset(self.estimate, asset), side, size, smallest, limit, text)

    def volatility_of(self, asset: int) -> float:
        """Return the volatility of one asset per period, by the covariance of the volatility limit."""
        return sqrt(self.estimate.variances[asset])

    def commit(self, asset: int, change: float, orders: Mapping[int, Sequence[float]] | None = None) -> Self:
        """Return the book after `change` in a weight and, where given, with other working orders.

        In O(n_assets + n_obs) for each outcome. Everything is computed anew from the weights as often as
        `BookVariance.commit` does, so that rounding does not add up. A change of 0 stands for an approval or a cancel.

        Raises
        ------
        InvalidArgument
            As `impacts`, or for orders as `of`.
        """
        working = self.working if orders is None else WorkingOrders.of(orders, len(self.estimate.weights))
        if change == 0.0:
            return self._with(self.rules, self.estimate, self.calm, self.by_asset, self.pnl, working)
        estimate = self.estimate.commit(asset, change)
        calm = estimate if self.calm is self.estimate else self.calm.commit(asset, change)
        if estimate.commits == 0:
            pnl = book_pnl(np.array(estimate.weights), self.by_asset)
        else:
            pnl = np.empty_like(self.pnl)
            kernels.add(self.pnl, self.by_asset[asset], float(change), pnl)
        return self._with(self.rules, estimate, calm, self.by_asset, pnl, working)

    def anew(self, weights: Any, orders: Mapping[int, Sequence[float]] | None = None) -> Self:
        """Return the book with other weights and orders, none by default, under the same covariances and window.

        The same bits whatever came before, unlike `commit`, so that a book restored equals one that never stopped.

        Raises
        ------
        InvalidArgument
            As `of`.
        """
        held = as_vector(weights, "weights")
        if held.shape[0] != self.by_asset.shape[0]:
            raise InvalidArgument(f"weights has {held.shape[0]} element(s), but the book {self.by_asset.shape[0]}")
        estimate = BookVariance.of(held, self.estimate.covariance)
        calm = estimate if self.calm is self.estimate else BookVariance.of(held, self.calm.covariance)
        working = WorkingOrders.of(orders or {}, held.shape[0])
        return self._with(self.rules, estimate, calm, self.by_asset, book_pnl(held, self.by_asset), working)

    def under(self, rules: Rules) -> Self:
        """Return the same book under other rules, such as those of another regime."""
        return self._with(rules, self.estimate, self.calm, self.by_asset, self.pnl, self.working)

    def _of_norm(
        self, norm: WorstNorm, seen: tuple[OneAsset, ...], side: float, size: float, smallest: float, limit: float,
        text: str,
    ) -> TradeImpact:  # fmt: skip
        root = sqrt(self.rules.periods_per_year)
        now = norm.now * root
        return TradeImpact(
            name="volatility",
            measure=text + norm.text,
            now=now,
            after=norm.after(seen, side * size) * root,
            limit=limit,
            largest=norm.largest(seen, side, target(now, limit) / root, smallest),
        )

    def _tail(
        self, asset: int, seen: tuple[OneAsset, ...], side: float, size: float, smallest: float
    ) -> tuple[TradeImpact, TradeImpact]:
        """Return the larger of the methods that bind; a size passes where it does by each of them."""
        past, normal = self.historical, self.rules.normal
        limits = self.rules.value_at_risk, self.rules.expected_shortfall
        nows = self._larger_now(0), self._larger_now(1)
        targets = target(nows[0], limits[0]), target(nows[1], limits[1])
        afters, tops, texts = (nan, nan), (inf, inf), ("", "")
        if past is not None:
            texts = past.texts
            afters, tops = past.after_and_largest(self.by_asset[asset], side, size, smallest, targets)
        sigma = 0.0 if normal is None else self.normal.after(seen, side * size)

        def one(i: int, name: str, multiple: float) -> TradeImpact:
            reason = None if past is None else past.reasons[i]
            if reason is not None:
                return TradeImpact(
                    name=name, measure=texts[i], now=None, after=None, limit=limits[i], largest=0.0, reason=reason
                )
            after, text, top = afters[i], texts[i], tops[i]
            if normal is not None:
                top = min(top, self.normal.largest(seen, side, targets[i] / multiple, smallest))
                if past is None or sigma * multiple > after:
                    after, text = sigma * multiple, normal.text + self.normal.text
            return TradeImpact(name=name, measure=text, now=nows[i], after=after, limit=limits[i], largest=top)

        multiples = (0.0, 0.0) if normal is None else (normal.value_at_risk, normal.expected_shortfall)
        return one(0, "value_at_risk", multiples[0]), one(1, "expected_shortfall", multiples[1])

    def _larger_now(self, i: int) -> float:
        """Return VaR (0) or ES (1) without a trade, NaN where it is undefined."""
        rule, past = self.rules.normal, self.historical
        if rule is None or (past is not None and past.reasons[i] is not None):
            return nan if past is None else past.now[i]
        normal = self.normal.now * (rule.value_at_risk, rule.expected_shortfall)[i]
        return normal if past is None else max(past.now[i], normal)

    @classmethod
    def _with(
        cls,
        rules: Rules,
        estimate: BookVariance,
        calm: BookVariance,
        by_asset: Matrix,
        pnl: Vector,
        working: WorkingOrders,
    ) -> Self:
        volatility = WorstNorm.of(estimate, working, rules.stress)
        if calm is estimate:
            normal = volatility if rules.stress == 0.0 else volatility.under(0.0)
        else:
            normal = WorstNorm.of(calm, working, 0.0)
        past = None if rules.historical is None else WorstTail.of(rules.historical, pnl, by_asset, working)
        return cls(
            rules=rules,
            estimate=estimate,
            calm=calm,
            by_asset=by_asset,
            pnl=pnl,
            working=working,
            volatility=volatility,
            normal=normal,
            historical=past,
        )
