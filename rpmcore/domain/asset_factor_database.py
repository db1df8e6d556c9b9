"""Every asset's profile: the reference data, a desk's own, and what the name of a pair tells."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from rpmcore.domain import reference
from rpmcore.domain.errors import InvalidArgument, nearest
from rpmcore.domain.factor_profiles import AssetFactorProfile, decomposed, profile_of
from rpmcore.domain.instruments import METALS, Instrument, parse_pair


class AssetFactorDatabase(Mapping[str, AssetFactorProfile]):
    """Factor profiles by symbol.

    Parameters
    ----------
    own
        A desk's profiles: they add to the reference data, and stand before them where both know a symbol.
    """

    def __init__(self, own: Iterable[AssetFactorProfile] = ()) -> None:
        given = {profile.instrument.symbol: profile for profile in own}
        self._profiles = MappingProxyType({**reference.profiles(), **given})

    def __getitem__(self, symbol: str) -> AssetFactorProfile:
        return self._profiles[symbol]

    def __iter__(self) -> Iterator[str]:
        return iter(self._profiles)

    def __len__(self) -> int:
        return len(self._profiles)

    def profile(self, symbol: str) -> AssetFactorProfile:
        """Return the profile of a symbol; a pair that is not listed is decomposed into its two currencies.

        Raises
        ------
        InvalidArgument
            If nothing is known of the symbol.
        """
        found = self.resolve(symbol)
        if found.origin == "unknown":
            meant = nearest(symbol, list(self._profiles))
            hint = f"did you mean {meant!r}?" if meant else "add a profile of it"
            raise InvalidArgument(f"nothing is known of {symbol!r}; {hint}")
        return found

    def resolve(
        self,
        symbol: str,
        *,
        account_currency: str = "USD",
        currency: str | None = None,
        sector: str | None = None,
        contract_size: float | None = None,
    ) -> AssetFactorProfile:
        """Return what is known of a symbol: from the book, else this database, else its name.

        Parameters
        ----------
        symbol
            Any text. Two ISO currency codes side by side are a pair, whether or not it is listed.
        account_currency
            The currency of a symbol of which nothing is known: it is treated as a share, of origin ``unknown``.
        currency, sector, contract_size
            What the book says; it stands before the database.

        Raises
        ------
        InvalidArgument
            If `currency` is not the quote currency of a pair, or `contract_size` is not positive and finite.
        """
        found = self._profiles.get(symbol) or self._from_symbol(symbol, account_currency)
        instrument = found.instrument
        if currency is not None and currency != instrument.currency:
            if instrument.base_currency is not None:
                raise InvalidArgument(
                    f"{symbol} is priced in {instrument.currency}, but the book says {currency!r}; "
                    "leave the currency of a pair empty"
                )
            instrument = replace(instrument, currency=currency)
        if sector is not None:
            instrument = replace(instrument, sector=sector)
        if contract_size is not None:
            if not 0.0 < contract_size < float("inf"):
                raise InvalidArgument(
                    f"the contract size of {symbol} must be positive and finite, but is {contract_size!r}"
                )
            instrument = replace(instrument, contract_size=contract_size)
        return found if instrument is found.instrument else replace(found, instrument=instrument)

    def _from_symbol(self, symbol: str, account_currency: str) -> AssetFactorProfile:
        pair = parse_pair(symbol)
        if pair is None:
            share = Instrument(symbol=symbol, name=symbol, kind="equity", currency=account_currency, known=False)
            return profile_of(share, {}, "unknown")
        base, quote = pair
        metal = base in METALS
        instrument = Instrument(
            symbol=symbol,
            name=f"{base} / {quote}",
            kind="metal" if metal else "fx",
            currency=quote,
            base_currency=base,
            sector="Commodities" if metal else "FX",
            lot_step=1.0 if metal else 1000.0,
        )
        return decomposed(instrument, self._profiles)
