"""The stress test engine with prices to value positions with: the sample's, or a desk's own."""

from dataclasses import replace
from typing import Any

from rpmcore.adapters.configuration.loading import settings_or_defaults
from rpmcore.domain.portfolio import Book
from rpmcore.inputs import book_inputs
from rpmcore.risk.settings import RiskSettings
from rpmcore.risk.stress.stress_test_engine import StressTestEngine as PureEngine
from rpmcore.risk.valuation import BookInputs


class StressTestEngine(PureEngine):
    """Runs positions and a risk system through crises; see `rpmcore.risk.stress.stress_test_engine`.

    Parameters
    ----------
    settings
        The defaults if None.
    prices
        A file, table or history of prices; the sample prices if None.
    assets
        A file or table of factor profiles of a desk's own.
    base_currency
        Account currency; that of the settings, else USD, if None.
    **options
        ``library``, ``threads``, ``progress`` and ``timer`` of the engine.
    """

    def __init__(
        self,
        settings: RiskSettings | None = None,
        *,
        prices: Any = None,
        assets: Any = None,
        base_currency: str | None = None,
        **options: Any,
    ) -> None:
        chosen = settings_or_defaults(settings, RiskSettings)

        def valued(book: Book) -> BookInputs:
            account = base_currency or chosen.data.base_currency or "USD"
            return book_inputs(replace(book, base_currency=account), prices, chosen, assets=assets)

        super().__init__(chosen, inputs=valued, **options)
