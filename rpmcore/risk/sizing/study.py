"""From a book and its prices to what the size of a trade depends on."""

from collections.abc import Iterator
from dataclasses import replace
from math import sqrt

from rpmcore.risk.covariance_estimator import CovarianceMatrixEstimator
from rpmcore.risk.currencies import Leg
from rpmcore.risk.evaluation import summarise
from rpmcore.risk.notices import PRICE_TOLERANCE, Notice, data_notices
from rpmcore.risk.settings import RiskSettings
from rpmcore.risk.sizing.report import SizingReport
from rpmcore.risk.sizing.request import BookRisk, SizingRequest
from rpmcore.risk.sizing.sizer import PositionSizer
from rpmcore.risk.valuation import BookInputs, ReturnPanel, return_panel, value
from rpmcore.risk.volatility import variance_and_product


def size_in_book(
    request: SizingRequest, inputs: BookInputs, settings: RiskSettings, *, empty: bool = False
) -> SizingReport:
    """Return the size of a trade beside what is held.

    Parameters
    ----------
    request
        Without rates, volatilities and book: they are found here.
    inputs
        The book, with prices of the instrument.
    settings
        The covariance, the target volatility and the sizing.
    empty
        Whether the book stands for an account that holds nothing.

    Raises
    ------
    InsufficientData, InputError
        As ``rpm evaluate``.
    InvalidArgument, Undefined
        As `PositionSizer.size`.
    """
    instruments = {symbol: profile.instrument for symbol, profile in inputs.known.items()}
    panel = return_panel(
        inputs.history, instruments, inputs.ways, lookback=settings.covariance.lookback,
        minimum=settings.covariance.minimum, return_days=settings.data.return_days,
    )  # fmt: skip
    valuation = value(inputs.book, instruments, panel, inputs.account)
    estimate = CovarianceMatrixEstimator(settings.covariance).estimate(
        panel.returns, valuation.weights, panel.symbols, return_days=panel.return_days
    )
    per_year = settings.data.periods_per_year
    variance, products = variance_and_product(valuation.weights, estimate.matrix)
    place = panel.symbols.index(request.instrument.symbol)
    own = float(estimate.matrix[place, place])
    legs = tuple(inputs.ways[request.instrument.symbol])
    answer = PositionSizer(settings.sizing, target_volatility=settings.limits.target_volatility).size(
        replace(
            request,
            rate=_rate_at(request.entry, place, legs, panel),
            rate_at_stop=None if request.stop is None else _rate_at(request.stop, place, legs, panel),
            daily_volatility=sqrt(own),
            annual_volatility=sqrt(own * per_year),
            book=BookRisk(
                variance=float(variance) * per_year,
                product=float(products[place]) * per_year,
                weight=float(valuation.weights[place]),
            ),
        )
    )
    on_data = data_notices(inputs, panel, valuation, settings, {"covariance": settings.covariance.lookback})
    return SizingReport(
        book=None if empty else summarise(inputs, panel, valuation),
        trade=answer,
        notes=inputs.history.notes,
        warnings=(*on_data, *_remarks(request, inputs, panel, place)),
    )


def _rate_at(price: float, place: int, legs: tuple[Leg, ...], panel: ReturnPanel) -> float | None:
    """Return the rate to the account currency with the instrument itself at `price`, should it lie on the way."""
    found, last = float(panel.rates[place]), float(panel.last_closes[place])
    for leg in legs:
        if leg.symbol == panel.symbols[place] and price > 0.0:
            found = found * last / price if leg.divide else found * price / last
    return found


def _remarks(request: SizingRequest, inputs: BookInputs, panel: ReturnPanel, place: int) -> Iterator[Notice]:
    last = float(panel.last_closes[place])
    if abs(request.entry / last - 1.0) > PRICE_TOLERANCE:
        yield Notice(
            code="entry_far_from_last_close",
            message=f"the entry {request.entry:g} is {request.entry / last - 1.0:+.0%} from the last close, {last:g}",
        )
    if inputs.known[request.instrument.symbol].origin == "unknown":
        yield Notice(
            code="unknown_instrument",
            message=f"nothing is known of {request.instrument.symbol!r}: it is sized as a share in "
            f"{request.instrument.currency}, in whole units",
        )
