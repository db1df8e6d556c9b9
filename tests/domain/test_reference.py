"""What rpm knows of instruments and crises, and how a book overrides it."""

from datetime import date, time
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from rpmcore.domain.crises import CrisisScenario, Gap, crisis_from_mapping, with_parameters
from rpmcore.domain.errors import ConfigurationError, InputError
from rpmcore.domain.instruments import CURRENCIES, Clock, parse_pair, sector_named
from rpmcore.domain.reference import crises, profiles, sample_path

GICS = {
    "Communication Services",
    "Consumer Discretionary",
    "Consumer Staples",
    "Energy",
    "Financials",
    "Health Care",
    "Industrials",
    "Information Technology",
    "Materials",
    "Real Estate",
    "Utilities",
}

SPECIFICATION: dict[str, dict[str, object]] = {
    "lehman2008": {
        "market_shock": -0.10,
        "volatility_multiplier": 5.0,
        "correlation": 0.95,
        "spread_multiplier": 10.0,
        "volume_reduction": 0.80,
    },
    "flashcrash2010": {
        "market_shock": -0.09,
        "volatility_multiplier": 8.0,
        "spread_multiplier": 20.0,
        "volume_reduction": 0.95,
        "duration_days": 1,
    },
    "covid2020": {
        "market_shock": -0.12,
        "volatility_multiplier": 6.0,
        "correlation": 0.90,
        "gap_size": 0.07,
    },
    "brexit2016": {
        "market_shock": -0.08,
        "volatility_multiplier": 4.0,
        "gap_size": 0.10,
        "gap_victims": "currency:GBP",
    },
    "archegos2021": {"spread_multiplier": 15.0, "gap_size": 0.20},
}


def lehman() -> dict[str, Any]:
    """The parsed form of a valid file, free to be spoilt."""
    crisis = crises()["lehman2008"]
    parameters = {key: {"value": value, "source": crisis.sources[key]} for key, value in crisis.parameters.items()}
    return {
        "name": crisis.name,
        "title": crisis.title,
        "description": crisis.description,
        "window": {"start": crisis.window.start, "end": crisis.window.end},
        **parameters,
    }


class TestInstruments:
    @pytest.mark.parametrize("symbol", sorted(profiles()))
    def test_each_entry_is_complete(self, symbol: str) -> None:
        found = profiles()[symbol].instrument
        assert found.known
        assert found.symbol == symbol
        assert found.contract_size == 1.0
        assert found.beta is not None
        assert abs(found.beta) < 3.0
        assert found.clock is not None
        expected = {"fx": {"FX"}, "metal": {"Commodities"}, "index": {"Index"}, "equity": GICS}[found.kind]
        assert found.sector in expected
        if found.kind in ("fx", "metal"):
            assert (found.base_currency, found.currency) == parse_pair(symbol)
        else:
            assert found.base_currency is None

    @pytest.mark.parametrize("symbol", ["EURUSD", "GBPUSD", "USDJPY", "AUDUSD", "USDCAD", "XAUUSD"])
    def test_pairs_that_the_specification_names_are_listed(self, symbol: str) -> None:
        assert symbol in profiles()

    def test_the_market_has_beta_one(self) -> None:
        assert profiles()["SP500"].instrument.beta == 1.0

    @pytest.mark.parametrize(
        ("symbol", "clock"),
        [
            ("EURUSD", Clock(name="ECB", zone="Europe/Berlin", time=time(14, 15))),
            ("MSFT", Clock(name="NYSE", zone="America/New_York", time=time(16))),
            ("XAUUSD", Clock(name="LBMA PM", zone="Europe/London", time=time(15))),
        ],
    )
    def test_prices_are_fixed_at_different_hours(self, symbol: str, clock: Clock) -> None:
        assert profiles()[symbol].instrument.clock == clock

    def test_a_clock_reads_as_words(self) -> None:
        assert str(profiles()["EURUSD"].instrument.clock) == "ECB 14:15 Europe/Berlin"

    def test_the_library_cannot_be_changed_by_accident(self) -> None:
        with pytest.raises(TypeError):
            profiles()["EURUSD"] = profiles()["GBPUSD"]  # type: ignore[index]


class TestParsePair:
    @given(base=st.sampled_from(sorted(CURRENCIES)), quote=st.sampled_from(sorted(CURRENCIES)))
    def test_two_different_codes_are_a_pair(self, base: str, quote: str) -> None:
        assert parse_pair(base + quote) == (None if base == quote else (base, quote))

    @pytest.mark.parametrize("symbol", ["", "EUR", "eurusd", "EUR/USD", "EURUSDX", "BTCUSD", "GOOGLE"])
    def test_other_symbols_are_not(self, symbol: str) -> None:
        assert parse_pair(symbol) is None


class TestCrises:
    def test_the_library_holds_the_crises_in_order(self) -> None:
        assert list(crises()) == [scenario.value for scenario in CrisisScenario]
        assert all(crisis.name == name for name, crisis in crises().items())

    @pytest.mark.parametrize("name", list(SPECIFICATION))
    def test_the_specification_stands_verbatim_and_nothing_else_claims_to(self, name: str) -> None:
        crisis = crises()[name]
        claimed = {key for key, source in crisis.sources.items() if source == "specification"}
        assert {key: crisis.parameters[key] for key in claimed} == SPECIFICATION[name]
        assert set(crisis.sources) == set(crisis.parameters)

    def test_gaps_hit_whom_they_hit(self) -> None:
        assert crises()["archegos2021"].gap == Gap(size=0.20, victims="largest_equity")
        assert crises()["brexit2016"].gap == Gap(size=0.10, victims="currency:GBP")
        assert crises()["covid2020"].gap == Gap(size=0.07, victims="equities")
        assert crises()["flashcrash2010"].gap is None

    def test_windows_are_the_dates_of_the_events(self) -> None:
        window = crises()["lehman2008"].window
        assert (window.start, window.end) == (date(2008, 9, 15), date(2008, 11, 20))
        window = crises()["flashcrash2010"].window
        assert window.start == window.end == date(2010, 5, 6)

    def test_a_valid_mapping_gives_the_same_crisis_again(self) -> None:
        assert crisis_from_mapping(lehman(), "lehman2008.yaml") == crises()["lehman2008"]

    def test_whole_numbers_are_accepted_for_fractions(self) -> None:
        mapping = lehman()
        mapping["volatility_multiplier"]["value"] = 5
        assert isinstance(crisis_from_mapping(mapping, "mine.yaml").volatility_multiplier, float)

    def test_correlations_can_be_left_alone(self) -> None:
        mapping = lehman()
        mapping["correlation"]["value"] = None
        assert crisis_from_mapping(mapping, "mine.yaml").correlation is None


class TestFaultyCrises:
    def test_a_misspelt_key_is_named_with_the_right_one(self) -> None:
        mapping = lehman()
        mapping["market_shok"] = mapping.pop("market_shock")
        message = r"mine\.yaml: key 'market_shok' is not known\. Did you mean 'market_shock'\?"
        with pytest.raises(InputError, match=message):
            crisis_from_mapping(mapping, "mine.yaml")

    @pytest.mark.parametrize("key", ["title", "window", "regime"])
    def test_a_missing_key_is_named(self, key: str) -> None:
        mapping = lehman()
        del mapping[key]
        with pytest.raises(InputError, match=rf"mine\.yaml: key '{key}' is missing"):
            crisis_from_mapping(mapping, "mine.yaml")

    @pytest.mark.parametrize(
        ("key", "value", "expected"),
        [
            ("market_shock", 0.1, r"a number in \(-1, 0\) \(found 0\.1\)"),
            ("market_shock", -1.0, r"a number in \(-1, 0\)"),
            ("market_shock", float("nan"), r"a number in \(-1, 0\)"),
            ("market_shock", "-10%", r"a number in \(-1, 0\) \(found '-10%'\)"),
            ("market_shock", None, r"a number in \(-1, 0\)"),
            ("volatility_multiplier", 0.5, r"a number in \[1, 100\]"),
            ("volatility_multiplier", True, r"a number in \[1, 100\]"),
            ("correlation", 95, r"a number in \[0, 1\] or null"),
            ("spread_multiplier", 0.0, r"a number in \[1, 1000\]"),
            ("volume_reduction", 1.0, r"a number in \[0, 1\)"),
            ("gap_size", 1.5, r"a number in \(0, 1\) or null"),
            ("gap_victims", "everybody", "equities, largest_equity, an ISO code"),
            ("gap_victims", "currency:GBX", "equities, largest_equity, an ISO code"),
            ("regime", "panic", "one of trending, ranging, volatile, stressed"),
            ("duration_days", 1.5, r"a whole number in \[1, 2520\]"),
            ("duration_days", 0, r"a whole number in \[1, 2520\]"),
        ],
    )
    def test_a_value_out_of_range_is_named_with_its_range(self, key: str, value: object, expected: str) -> None:
        mapping = lehman()
        mapping[key]["value"] = value
        with pytest.raises(InputError, match=rf"mine\.yaml: key '{key}' must be {expected}"):
            crisis_from_mapping(mapping, "mine.yaml")

    def test_a_value_must_say_where_it_is_from(self) -> None:
        mapping = lehman()
        mapping["market_shock"] = -0.1
        with pytest.raises(InputError, match="key 'market_shock' must hold the keys value, source"):
            crisis_from_mapping(mapping, "mine.yaml")
        mapping["market_shock"] = {"value": -0.1, "source": "guessed"}
        with pytest.raises(InputError, match=r"key 'market_shock\.source' must be one of specification"):
            crisis_from_mapping(mapping, "mine.yaml")

    def test_half_a_gap_is_refused(self) -> None:
        mapping = lehman()
        mapping["gap_victims"]["value"] = None
        with pytest.raises(InputError, match="'gap_size' and 'gap_victims' must both have a value"):
            crisis_from_mapping(mapping, "mine.yaml")

    def test_a_window_is_two_days_in_order(self) -> None:
        mapping = lehman()
        mapping["window"] = {"start": date(2008, 11, 20), "end": date(2008, 9, 15)}
        with pytest.raises(InputError, match=r"'window\.end' must not be before 'window\.start', 2008-11-20"):
            crisis_from_mapping(mapping, "mine.yaml")
        mapping["window"] = {"start": "September", "end": date(2008, 9, 15)}
        with pytest.raises(InputError, match=r"'window\.start' must be a date"):
            crisis_from_mapping(mapping, "mine.yaml")

    def test_texts_are_not_empty(self) -> None:
        with pytest.raises(InputError, match="key 'title' must be a text"):
            crisis_from_mapping({**lehman(), "title": " "}, "mine.yaml")

    @pytest.mark.parametrize("content", ["", "just words", "- a\n- list"])
    def test_a_file_of_another_form_is_refused(self, content: str) -> None:
        with pytest.raises(InputError, match=r"mine\.yaml: the file must hold the keys name, title"):
            crisis_from_mapping(yaml.safe_load(content), "mine.yaml")


class TestWithParameters:
    def test_numbers_are_replaced_and_marked(self) -> None:
        lehman = crises()["lehman2008"]
        changed = with_parameters(lehman, {"market_shock": "-0.2", "gap_size": "0.3", "duration_days": "5"})
        assert changed.market_shock == -0.2
        assert changed.gap == Gap(size=0.3, victims="largest_equity")
        assert changed.duration_days == 5
        assert {key for key, source in changed.sources.items() if source == "given"} == {
            "market_shock",
            "gap_size",
            "duration_days",
        }
        assert changed.volatility_multiplier == lehman.volatility_multiplier
        assert lehman.sources["market_shock"] == "specification"

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"market_shok": "-0.2"}, "no number 'market_shok'; did you mean 'market_shock'"),
            ({"regime": "volatile"}, "no number 'regime'; "),
            (
                {"market_shock": "0.2"},
                r"market_shock of a scenario must be a number in \(-1, 0\), but is '0.2'",
            ),
            ({"market_shock": "much"}, "but is 'much'"),
            ({"market_shock": "nan"}, "but is 'nan'"),
            ({"duration_days": "1.5"}, r"a whole number in \[1, 2520\], but is '1.5'"),
        ],
    )
    def test_faulty_changes_are_named(self, changes: dict[str, str], message: str) -> None:
        with pytest.raises(ConfigurationError, match=message):
            with_parameters(crises()["lehman2008"], changes)

    def test_a_gap_needs_victims(self) -> None:
        with pytest.raises(ConfigurationError, match="flashcrash2010 has no gap"):
            with_parameters(crises()["flashcrash2010"], {"gap_size": "0.1"})


class TestSamplePath:
    @pytest.mark.parametrize("name", ["portfolio", "prices", "factors", "trades", "signals", "opening_book"])
    def test_the_sample_is_found(self, name: str) -> None:
        path = sample_path(f"{name}.parquet")
        assert path.stem == name
        assert path.is_file()

    def test_a_missing_file_says_where_it_was_looked_for(self) -> None:
        with pytest.raises(InputError, match=r"sample.nothing\.parquet and .*data.nothing\.parquet"):
            sample_path("nothing.parquet")


@pytest.mark.parametrize(
    ("name", "sector"),
    [("Energy", "Energy"), ("health care", "Health Care"), ("fx", "FX"), (" INDEX ", "Index"), ("Software", None)],
)
def test_a_sector_is_known_by_its_name_in_any_case(name: str, sector: str | None) -> None:
    assert sector_named(name) == sector
