"""The job of judging strategies."""

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from rpmcore.adapters.configuration.loading import Settings, settings_or_defaults
from rpmcore.adapters.tables.given import GivenTrades

if TYPE_CHECKING:
    from rpmcore.controls.strategy_report import StrategiesReport


def strategies(
    trades: GivenTrades | None = None,
    *,
    strategy: str | None = None,
    settings: Settings | None = None,
    capital: float | None = None,
    base_currency: str | None = None,
    as_of: date | None = None,
) -> "StrategiesReport":
    """Return which strategies may trade, how healthy each is, and how much of the capital each should have.

    Each is judged as of one instant by its trades of the lookback, 90 days: by what they say now, whatever it was
    before. Below `disable_below` it is disabled; with too few trades it has no score and is on probation.

    Parameters
    ----------
    trades
        Closed trades: a Parquet or CSV file, an Arrow table or any data frame that speaks Arrow; the sample if None.
    strategy
        One to show in depth: how it would have been judged as its trades closed.
    settings
        See `load_settings`; the defaults if None. ``strategies.capital`` says what each was given.
    capital
        Equity of the account; the file's ``rpm.capital`` if None. Strategies whose capital the settings do not give
        share it equally, and a warning says so.
    base_currency
        Overrides what the file says.
    as_of
        Judge at the end of this day in UTC, by the trades closed until then; at the last trade if None.

    Raises
    ------
    InputError
        If the trades cannot be used, a capital is not known, or the strategy has no trade; the message names the
        culprit and the remedy.
    """
    chosen = settings_or_defaults(settings, Settings)
    from rpmcore.controls.strategy_study import study_strategies
    from rpmcore.trade_inputs import known_strategy, trades_to_judge

    judged, summary, told = trades_to_judge(trades, chosen, capital=capital, base_currency=base_currency, as_of=as_of)
    if strategy is not None:
        known_strategy(strategy, judged, summary.path or "the table given")
    found = study_strategies(judged, summary, chosen.strategies, asked=strategy, warnings=told)
    return replace(found, config_digest=chosen.digest)
