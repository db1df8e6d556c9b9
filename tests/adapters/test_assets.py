"""A desk's own profiles of assets: what they override, and what is refused with which words."""

import re
from datetime import time
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from rpmcore.adapters.strict_yaml import parse
from rpmcore.adapters.tables.assets import read_assets
from rpmcore.adapters.tables.factor_returns import read_factor_returns
from rpmcore.adapters.tables.trades import read_trades
from rpmcore.domain.asset_factor_database import AssetFactorDatabase
from rpmcore.domain.errors import ConfigurationError
from rpmcore.domain.factor_profiles import NEUTRAL, Loading
from rpmcore.domain.instruments import Clock
from rpmcore.domain.reference import profiles
from tests.adapters.refusals import assert_says, refusal

NAN, INF = float("nan"), float("inf")
DESK = """
instruments:
  SAP.DE:
    name: SAP
    currency: EUR
    sector: information technology
    clock: {zone: Europe/Berlin, time: 17:35}
    contract_size: 100
    lot_step: 0.5
    loadings:
      beta: 1.1
      value: {value: -0.4, source: estimated}
      rates: {value: 0, source: neutral}
      size: null
  MSFT:
    loadings: {beta: 0.9}
"""


def given(value):
    return Loading(value=value, source="given")


@pytest.fixture
def desk(text):
    """Read the instruments of a YAML file."""
    return lambda entries: read_assets(text(f"instruments:\n{entries}", "desk.yaml"))


class TestYaml:
    def test_a_share_that_rpm_does_not_know(self, text):
        found = read_assets(text(DESK, "desk.yml"))[0]
        instrument = found.instrument
        assert (instrument.symbol, instrument.name, instrument.kind, instrument.currency) == (
            "SAP.DE",
            "SAP",
            "equity",
            "EUR",
        )
        assert instrument.sector == "Information Technology"
        assert instrument.clock == Clock(name="Berlin", zone="Europe/Berlin", time=time(17, 35))
        assert (instrument.contract_size, instrument.lot_step, instrument.beta) == (100.0, 0.5, 1.1)
        assert instrument.known
        assert found.origin == "given"
        assert found.loadings["beta"] == given(1.1)
        assert found.loadings["value"] == given(-0.4)
        assert found.loadings["rates"] == found.loadings["size"] == NEUTRAL

    def test_an_entry_overrides_only_what_it_says(self, text):
        found, known = read_assets(text(DESK, "desk.yaml"))[1], profiles()["MSFT"]
        assert found.origin == "given"
        assert found.instrument.beta == 0.9
        assert found.loadings["beta"] == given(0.9)
        assert {key: loading for key, loading in found.loadings.items() if key != "beta"} == {
            key: loading for key, loading in known.loadings.items() if key != "beta"
        }
        for key in ("name", "kind", "currency", "sector", "clock", "contract_size", "lot_step", "known"):
            assert getattr(found.instrument, key) == getattr(known.instrument, key)

    def test_an_entry_that_says_nothing_changes_nothing(self, desk):
        (found,) = desk("  KO:\n")
        assert (found.instrument, found.loadings) == (profiles()["KO"].instrument, profiles()["KO"].loadings)

    def test_the_database_puts_them_before_the_reference_data(self, text):
        database = AssetFactorDatabase(read_assets(text(DESK, "desk.yaml")))
        assert database.profile("MSFT").instrument.beta == 0.9
        assert database.resolve("SAP.DE").instrument.currency == "EUR"

    def test_beta_may_stay_unknown(self, desk):
        (found,) = desk("  ACME: {currency: USD}\n")
        assert found.instrument.beta is None
        assert "beta" not in found.loadings
        assert found.loadings["momentum"] == NEUTRAL

    def test_a_pair_follows_from_its_codes(self, desk):
        (found,) = desk("  NOKSEK: {lot_step: 100}\n")
        instrument = found.instrument
        assert (instrument.kind, instrument.base_currency, instrument.currency) == ("fx", "NOK", "SEK")
        assert (instrument.sector, instrument.lot_step) == ("FX", 100.0)
        assert found.loadings["usd"] == Loading(value=0.0, source="definition")

    def test_a_cross_is_decomposed_into_pairs_of_the_desk_in_any_order(self, desk):
        cross, first, second = desk(
            "  NOKSEK: {lot_step: 100}\n"
            "  USDNOK: {loadings: {beta: -0.30, risk_on: -0.5}}\n"
            "  USDSEK: {loadings: {beta: -0.20}}\n"
        )
        assert (first.instrument.symbol, second.instrument.symbol) == ("USDNOK", "USDSEK")
        assert cross.loadings["beta"].source == "decomposed"
        assert cross.instrument.beta == pytest.approx(0.30 - 0.20)
        assert cross.loadings["risk_on"] == NEUTRAL

    def test_a_pair_under_another_name(self, desk):
        (found,) = desk("  GOLD: {kind: metal, base_currency: XAU, currency: USD}\n")
        assert (found.instrument.sector, found.instrument.lot_step) == ("Commodities", 1.0)
        assert found.instrument.beta == profiles()["XAUUSD"].instrument.beta

    def test_clocks_by_name_and_by_hour_are_one(self, desk):
        named, told = desk(
            '  A: {currency: USD, clock: NYSE}\n  B: {currency: USD, clock: {zone: America/New_York, time: "16:00"}}\n'
        )
        assert named.instrument.clock == told.instrument.clock == profiles()["MSFT"].instrument.clock

    def test_words_that_yaml_takes_for_other_things_stay_words(self, desk):
        no, number = desk('  "NO": {currency: NOK}\n  0700: {currency: HKD}\n')
        assert (no.instrument.symbol, number.instrument.symbol) == ("NO", "0700")


BAD_ENTRIES = {
    "unknown key": ("A: {currency: USD, sectr: Energy}", ["key 'sectr'", "not known", "Did you mean 'sector'?"]),
    "unknown factor": (
        "A: {currency: USD, loadings: {momentm: 1}}",
        ["key 'loadings.momentm'", "Did you mean 'momentum'?"],
    ),
    "factor in the wrong place": ("A: {currency: USD, beta: 1}", ["key 'beta'", "Write it under loadings"]),
    "key like none": ("A: {currency: USD, xyz: 1}", ["key 'xyz'", "Known are name, kind"]),
    "sector": (
        "A: {currency: USD, sector: Technology}",
        ["key 'sector'", "'Technology'", "Did you mean 'Information Technology'?"],
    ),
    "currency in small letters": ("A: {currency: usd}", ["key 'currency'", "'usd'", "Did you mean 'USD'?"]),
    "currency that is none": ("A: {currency: ''}", ["key 'currency'", "must be a text"]),
    "no currency": ("A: {kind: equity}", ["key 'currency'", "is needed", "Add it"]),
    "NaN": ("A: {currency: USD, loadings: {beta: .nan}}", ["key 'loadings.beta'", "'.nan'"]),
    "infinity": ("A: {currency: USD, loadings: {beta: 1e999}}", ["key 'loadings.beta'", "finite", "inf"]),
    "a huge loading": (
        "A: {currency: USD, loadings: {usd: {value: -1e308}}}",
        ["key 'loadings.usd'", "1000", "-1e+308"],
    ),
    "number far too long": (f"A: {{currency: USD, lot_step: {'9' * 400}}}", ["key 'lot_step'", "finite"]),
    "text for a number": ("A: {currency: USD, loadings: {beta: high}}", ["'loadings.beta'", "'high'", "plain number"]),
    "truth for a number": ("A: {currency: USD, lot_step: true}", ["key 'lot_step'", "must be a number"]),
    "contract size": ("A: {currency: USD, contract_size: 0}", ["key 'contract_size'", "positive", "found 0"]),
    "lot step": ("A: {currency: USD, lot_step: -1}", ["key 'lot_step'", "positive", "-1"]),
    "clock": ("A: {currency: USD, clock: NYS}", ["key 'clock'", "'NYS'", "Did you mean 'NYSE'?"]),
    "zone": (
        "A: {currency: USD, clock: {zone: Europe/Londn, time: '16:30'}}",
        ["key 'clock'", "'Europe/Londn'", "Did you mean 'Europe/London'?"],
    ),
    "zone outside": ("A: {currency: USD, clock: {zone: ../../etc, time: '16:30'}}", ["key 'clock'", "time zone"]),
    "hour": ("A: {currency: USD, clock: {zone: UTC, time: 25:00}}", ["key 'clock'", "'25:00'", "such as 16:30"]),
    "half a clock": ("A: {currency: USD, clock: {zone: UTC}}", ["key 'clock'", "keys zone", "zone and time"]),
    "kind": ("A: {currency: USD, kind: stock}", ["key 'kind'", "'stock'", "equity, fx, index, metal"]),
    "source": (
        "A: {currency: USD, loadings: {beta: {value: 1, source: guess}}}",
        ["key 'loadings.beta'", "'guess'", "estimated"],
    ),
    "loading without a value": ("A: {currency: USD, loadings: {beta: {source: given}}}", ["'loadings.beta'", "source"]),
    "neutral beta": (
        "A: {currency: USD, loadings: {beta: {value: 0, source: neutral}}}",
        ["'loadings.beta'", "not measured", "Leave it out"],
    ),
    "neutral number": (
        "A: {currency: USD, loadings: {rates: {value: 2, source: neutral}}}",
        ["'loadings.rates'", "not measured", "2.0"],
    ),
    "loadings as a list": ("A: {currency: USD, loadings: [1, 2]}", ["key 'loadings'", "numbers by factor"]),
    "entry as a number": ("A: 1.2", ["symbol 'A'", "keys with values", "'1.2'"]),
    "blank symbol": ("' ': {currency: USD}", ["line 2", "symbol is blank"]),
    "share with a base": ("A: {currency: USD, base_currency: EUR}", ["key 'base_currency'", "only a pair", "'EUR'"]),
    "pair without a base": ("A: {currency: USD, kind: fx}", ["key 'base_currency'", "kind 'fx'"]),
    "pair of one currency": ("A: {currency: USD, base_currency: USD, kind: fx}", ["key 'base_currency'", "'USD'"]),
    "metal as money": ("A: {currency: USD, base_currency: XAU, kind: fx}", ["key 'kind'", "XAU", "Write metal"]),
    "money as metal": ("A: {currency: USD, base_currency: EUR, kind: metal}", ["key 'kind'", "EUR", "Write fx"]),
    "another kind of a pair": ("EURUSD: {kind: equity}", ["key 'kind'", "codes say 'fx'", "'equity'", "Write fx"]),
    "another currency of a pair": ("NOKSEK: {currency: NOK}", ["key 'currency'", "codes say 'SEK'", "'NOK'"]),
    "another base of a pair": ("EURUSD: {base_currency: GBP}", ["key 'base_currency'", "codes say 'EUR'"]),
    "a share that becomes a pair": ("MSFT: {kind: fx}", ["key 'kind'", "no pair, but Microsoft", "Leave it out"]),
    "a share with a base of its own": ("MSFT: {base_currency: EUR}", ["key 'base_currency'", "no pair"]),
}


@pytest.mark.parametrize("case", BAD_ENTRIES)
def test_an_entry_that_cannot_be_used_is_named(text, case):
    entry, parts = BAD_ENTRIES[case]
    path = text(f"instruments:\n  {entry}\n", "desk.yaml")
    message = refusal(read_assets, path)
    assert_says(message, path, [*parts, "line 2"])
    if not entry.startswith("' '"):
        assert f"symbol {entry.partition(':')[0]!r}" in message


BAD_FILES = {
    "list": ("- a\n- b\n", ["expected keys with values, found list"]),
    "nothing": ("", ["must hold the key 'instruments'"]),
    "no instruments": ("instruments:\n", ["must hold the key 'instruments'"]),
    "list of instruments": ("instruments: [A, B]\n", ["must hold the key 'instruments'"]),
    "misspelt": ("instrument:\n  A: {currency: USD}\n", ["line 1", "'instrument'", "Did you mean 'instruments'?"]),
    "repeated key": (
        "instruments:\n  A:\n    currency: USD\n    currency: EUR\n",
        ["line 4", "instruments.A.currency is set twice (first on line 3)"],
    ),
    "repeated symbol": (
        "instruments:\n  A: {currency: USD}\n  A: {currency: USD}\n",
        ["line 3", "instruments.A is set twice (first on line 2)"],
    ),
    "no YAML": ("instruments: {A: ]\n", ["line 1", "not readable as YAML"]),
    "alias": ("instruments:\n  A: &a {currency: USD}\n  B: *a\n", ["line 2", "an anchor is not taken here"]),
    "far too deep": (f"instruments: {'[' * 5000}", ["desk.yaml"]),
    "no text": (b"\xff\xfe\x00", ["damaged"]),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_file_that_is_none_is_refused(text, case):
    content, parts = BAD_FILES[case]
    path = text(content, "desk.yaml")
    assert_says(refusal(read_assets, path), path, parts)


def test_a_file_that_is_not_there_or_too_large(text, monkeypatch):
    path = text(DESK, "desk.yaml")
    other = path.with_name("dsk.yaml")
    assert_says(refusal(read_assets, other), other, ["no such file", "Did you mean", "desk.yaml"])
    monkeypatch.setattr("rpmcore.adapters.tables.assets.MAX_BYTES", 100)
    assert_says(refusal(read_assets, path), path, ["more than the 100", "Parquet"])


def test_settings_with_aliases_are_refused_as_settings():
    with pytest.raises(ConfigurationError, match=r"rpm\.yaml, line 1, column \d+: an anchor is not taken here"):
        parse("a: &a [1]\nb: [*a, *a]\n", "rpm.yaml")


TABLE = {
    "symbol": ["SAP.DE", "MSFT"],
    "currency": ["EUR", None],
    "sector": ["Information Technology", None],
    "clock": ["ECB", None],
    "contract_size": [None, 10.0],
    "beta": [1.1, None],
    "usd": [None, -0.2],
}


class TestTables:
    @pytest.mark.parametrize("table", [pa.table, pd.DataFrame, pl.DataFrame])
    def test_in_memory(self, table):
        share, known = read_assets(table(TABLE))
        assert (share.instrument.kind, share.instrument.currency, share.instrument.contract_size) == (
            "equity",
            "EUR",
            1.0,
        )
        assert share.instrument.clock.name == "ECB"
        assert share.loadings["beta"] == given(1.1)
        assert share.loadings["usd"] == NEUTRAL
        assert known.instrument.contract_size == 10.0
        assert known.loadings["usd"] == given(-0.2)
        assert known.loadings["beta"] == profiles()["MSFT"].loadings["beta"]

    def test_parquet_and_csv_say_the_same(self, parquet, text):
        lines = "symbol,currency,beta,lot_step\nSAP.DE,EUR,1.1,\nMSFT,,,5\n"
        csv = read_assets(text(lines))
        columns = {"symbol": ["SAP.DE", "MSFT"], "currency": ["EUR", None], "beta": [1.1, None], "lot_step": [None, 5]}
        assert csv == read_assets(parquet(columns))
        assert [found.instrument.lot_step for found in csv] == [1.0, 5.0]

    def test_what_it_says_is_what_yaml_says(self, parquet, desk):
        assert read_assets(parquet(TABLE)) == desk(
            "  SAP.DE: {currency: EUR, sector: Information Technology, clock: ECB, loadings: {beta: 1.1}}\n"
            "  MSFT: {contract_size: 10, loadings: {usd: -0.2}}\n"
        )


BAD_TABLES = {
    "no symbol": ({"symbol": None, "Symbol": ["A", "B"]}, ["'symbol'", "Rename 'Symbol' to 'symbol'"]),
    "null symbol": ({"symbol": ["A", None]}, ["'symbol'", "row 2", "null"]),
    "repeated symbol": ({"symbol": ["A", "A"]}, ["'symbol'", "row 2", "row 1 already holds", "'A'", "Keep one"]),
    "unknown column": ({"betta": [1.0, 1.0]}, ["'betta'", "not known", "Rename it to 'beta'"]),
    "column like none": ({"zzz": [1.0, 1.0]}, ["'zzz'", "Leave it out", "'lot_step'"]),
    "NaN": ({"beta": [1.0, NAN]}, ["'beta'", "symbol 'B'", "row 2", "nan", "leave it out"]),
    "infinity": ({"beta": [-INF, 1.0]}, ["'beta'", "symbol 'A'", "row 1", "-inf"]),
    "a huge loading": ({"beta": [1.0, 1e308]}, ["'beta'", "symbol 'B'", "row 2", "1000"]),
    "size": ({"contract_size": [None, 0.0]}, ["'contract_size'", "symbol 'B'", "row 2", "positive", "0.0"]),
    "step": ({"lot_step": [-1.0, 1.0]}, ["'lot_step'", "symbol 'A'", "row 1", "positive", "-1.0"]),
    "currency": ({"currency": ["USD", "EURO"]}, ["'currency'", "symbol 'B'", "row 2", "'EURO'", "'EUR'"]),
    "no currency": ({"currency": ["USD", None]}, ["'currency'", "symbol 'B'", "row 2", "is needed"]),
    "no column of currencies": ({"currency": None}, ["'currency'", "symbol 'A'", "row 1", "is needed"]),
    "sector": ({"sector": ["Energi", None]}, ["'sector'", "symbol 'A'", "row 1", "'Energi'", "'Energy'"]),
    "kind": ({"kind": ["Equity", None]}, ["'kind'", "symbol 'A'", "'Equity'", "Did you mean 'equity'?"]),
    "clock": ({"clock": [None, "16:00"]}, ["'clock'", "symbol 'B'", "row 2", "'16:00'", "ECB, LBMA PM, NYSE"]),
    "blank": ({"name": ["x", " "]}, ["'name'", "symbol 'B'", "row 2", "blank"]),
    "numbers as text": ({"beta": ["1.0", "1.0"]}, ["'beta'", "symbol 'A'", "row 1", "text", "'1.0'"]),
    "no rows": ({"symbol": pa.array([], pa.string()), "currency": pa.array([], pa.string())}, ["no rows"]),
}


@pytest.mark.parametrize("case", BAD_TABLES)
def test_a_cell_that_cannot_be_used_is_named(parquet, case):
    changes, parts = BAD_TABLES[case]
    columns = {"symbol": ["A", "B"], "currency": ["USD", "USD"], **changes}
    path = parquet({name: cells for name, cells in columns.items() if cells is not None})
    assert_says(refusal(read_assets, path), path, parts)


def test_a_column_that_stands_twice(text):
    path = text("symbol,currency,beta,beta\nA,USD,1,2\n")
    assert_says(refusal(read_assets, path), path, ["'beta'", "2 columns have this name"])


def test_another_file_of_ours(parquet):
    path = parquet({"symbol": ["A"], "currency": ["USD"]}, {"rpm.schema": "rpm.book/1"})
    assert_says(refusal(read_assets, path), path, ["rpm.schema", "rpm.assets/1", "'rpm.book/1'"])


def test_the_manual_shows_files_that_can_be_read(text):
    manual = (Path(__file__).parents[2] / "docs" / "files.md").read_text(encoding="utf-8")
    (assets,) = re.findall(r"```yaml\n(.*?)```", manual, re.DOTALL)
    factors, trades = re.findall(r"```csv\n(.*?)```", manual, re.DOTALL)
    share, known = read_assets(text(assets, "desk.yaml"))
    assert (share.instrument.beta, known.instrument.beta) == (1.1, 0.9)
    assert read_factor_returns(text(factors)).names == ("market", "momentum")
    assert [trade.pnl for trade in read_trades(text(trades)).trades] == [1250.5, -480.0]
