"""``rpm import csv``: any file of trades, by a mapping of its columns."""

import json

import pytest

from rpmcore.adapters.statements.mapping import EXAMPLE
from rpmcore.adapters.tables.trades import read_trades

FILE = """\
Ticket;Instrument;Direction;Open time;Close time;Lots;Open price;Close price;Profit;Swap;Commission;Comment
1;EURUSD.m;Buy;04.03.2024 10:00:00;05.03.2024 16:30:00;1,00;1,08500;1,09000;1.500,00;-1,20;-7,00;trend 7
2;GOLD;Short;04.03.2024 11:00:00;04.03.2024 18:00:00;0,50;2.100,00;2.125,00;−1.250,00;0,00;-3,50;
3;;Balance;04.03.2024 12:00:00;04.03.2024 12:00:00;;;;10.000,00;;;
"""
TOTALS = (
    "totals:                    # what the file itself says that the trades add up to; checked to the cent\n  pnl: "
)
MAPPING = EXAMPLE.replace(f"{TOTALS}1234.56", f"{TOTALS}238.30")


@pytest.fixture
def imported(rpm, tmp_path):
    def run(file=FILE, mapping=MAPPING, *options, encoding="utf-8"):
        (tmp_path / "file.csv").write_bytes(file.encode(encoding))
        (tmp_path / "map.yaml").write_text(mapping, encoding="utf-8")
        return rpm("import", "csv", "file.csv", "--mapping", "map.yaml", "--trades", "out.parquet", *options,
                   cwd=tmp_path)  # fmt: skip

    return run


def test_the_example_is_a_mapping_that_imports_to_the_cent(imported, rpm, tmp_path):
    assert rpm("import", "csv", "--example").out == EXAMPLE
    done = imported(FILE, MAPPING, "--json")
    assert done.code == 0, done.err
    found = read_trades(tmp_path / "out.parquet")
    assert [(t.trade_id, t.symbol, t.side, t.pnl, t.fees) for t in found.trades] == [
        ("2", "XAUUSD", "sell", -1253.5, 3.5), ("1", "EURUSD", "buy", 1491.8, 7.0),
    ]  # fmt: skip
    assert [(t.strategy_id, t.quantity, t.entry, t.exit) for t in found.trades] == [
        ("manual", 0.5, 2100.0, 2125.0), ("trend", 100_000.0, 1.085, 1.09),
    ]  # fmt: skip
    assert found.trades[1].opened_at == 1_709_539_200 * 10**9
    assert (found.capital, found.base_currency) == (100_000.0, "EUR")
    report = json.loads(done.out)
    assert (report["schema"], report["kind"]) == ("rpm.import/1", "csv")
    assert report["reconciliation"] == [
        {"name": "pnl", "statement": 238.3, "computed": 238.3, "difference": 0.0},
    ]  # fmt: skip
    assert [warning["code"] for warning in report["warnings"]] == ["left_out"]
    judged = json.loads(rpm("strategies", tmp_path / "out.parquet", "--json").out)
    assert len(judged["strategies"]) == 2


def test_a_total_that_is_not_met_is_refused(imported, tmp_path):
    done = imported(FILE, MAPPING.replace("238.30", "238.31"))
    assert done.code == 2
    assert "does not foot: pnl is 238.31 by the statement and 238.30 by its rows, a difference of -0.01" in done.err
    assert not (tmp_path / "out.parquet").exists()


def line_of(text, part):
    return next(n for n, line in enumerate(text.splitlines(), 1) if part in line)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("  symbol: Instrument", "  simbol: Instrument", "there is no key 'columns.simbol'; did you mean 'symbol'?"),
        ("numbers:", "number:", "there is no key 'number'; did you mean 'numbers'?"),
        ("  side: Direction", "  # side", "columns: the key 'side' is needed"),
        ('  decimal: ","', '  decimal: ";"', 'numbers.decimal: it is "." or ","'),
        ('  thousands: "."', '  thousands: ","', "numbers.thousands"),
        ("  costs_are: negative", "  costs_are: bad", "numbers.costs_are: it is negative or positive"),
        ("  costs_are: negative", "  # costs", "numbers: the key 'costs_are' is needed"),
        ("  zone: Europe/Athens", "  zone: Europe/Athen", "Did you mean Europe/Athens?"),
        ("  zone: Europe/Athens", "  # zone", "times.zone: the times of a statement are those of the broker's server"),
        ("%d.%m.%Y %H", "%d.%d.%Y %H", "times.format: it is no form of a time"),
        ('%H:%M:%S"', '%H:%M:%S %"', "times.format: it is no form of a time"),
        ("  sell: [Sell, Short]", "  sell: [Sell, BUY]", "sides.sell: it stands for both sides (found 'BUY')"),
        ("  skip_lines: 0", "  skip_lines: -1", "file.skip_lines: it is a whole number"),
        ("  EURUSD: 100000", "  EURUSD: -5", "contract_sizes.EURUSD: it is a positive number"),
        ("  currency: EUR", "  currency: euro", "account.currency: a currency is a code of three capital letters"),
        ("  skip_lines: 0", "  skip_lines: 0\n  skip_lines: 1", "is set twice"),
    ],
)
def test_a_mapping_that_is_wrong_is_told_with_line_and_key(imported, old, new, told):
    assert old in MAPPING
    done = imported(FILE, MAPPING.replace(old, new, 1))
    assert done.code == 2
    assert told in done.err
    assert "map.yaml, line " in done.err
    assert done.err.count("\n") == 1


def test_the_line_that_is_named_is_the_line(imported):
    wrong = MAPPING.replace("  symbol: Instrument", "  simbol: Instrument")
    assert f"map.yaml, line {line_of(wrong, 'simbol')}:" in imported(FILE, wrong).err


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("Instrument", "Instruments", "column 'Instrument': line 1 has no such heading"),
        ("Swap;", "Profit;", "column 'Profit', row line 1: two columns have this heading"),
        ("1.500,00", "1,500.00", "line 2: it is no number with ',' before its decimals and '.' between thousands"),
        ("1.500,00", "1 500,00", "(found '1 500,00')"),
        ("04.03.2024 10:00:00", "2024-03-04", "it is no time in the form %d.%m.%Y %H:%M:%S"),
        ("04.03.2024 10:00:00", "04.03.9999 10:00:00", "it is no time in the form"),
        (";1,00;", ";-1,00;", "it must be positive; the side has the sign"),
        (";Buy;", ";Long-ish;", "the mapping does not say which side it is"),
        ("05.03.2024 16:30:00", "03.03.2024 16:30:00", "it closes before it opens"),
        ("2;GOLD", "1;GOLD", "line 2 already has this id"),
        (";GOLD", ";GBPUSD-pro", "it looks like GBPUSD with a broker's suffix"),
        ("1.500,00;-1,20;-7,00", ";;", "there is no number"),
    ],
)
def test_a_cell_that_is_wrong_is_told_with_its_line(imported, old, new, told):
    done = imported(FILE.replace(old, new, 1))
    assert done.code == 2
    assert told in done.err
    assert done.err.count("\n") == 1


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_the_encoding_is_found(imported, encoding):
    mapping = MAPPING.replace("  encoding: utf-8 ", "  # encoding ")
    assert imported(FILE, mapping, encoding=encoding).code == 0


def test_times_with_a_zone_of_their_own_need_no_other(imported, tmp_path):
    file = FILE.replace("04.03.2024 10:00:00", "04.03.2024 10:00:00+02:00").replace("16:30:00;", "16:30:00+02:00;")
    file = file.replace("11:00:00;", "11:00:00+02:00;").replace("18:00:00;", "18:00:00+02:00;")
    mapping = MAPPING.replace("  zone: Europe/Athens", "  # zone").replace('%H:%M:%S"', '%H:%M:%S%z"')
    assert imported(file, mapping).code == 0
    assert read_trades(tmp_path / "out.parquet").trades[1].opened_at == 1_709_539_200 * 10**9


def test_what_is_needed_is_asked_for(rpm, imported, tmp_path):
    for arguments in ((), ("file.csv",), ("file.csv", "--mapping", "map.yaml")):
        assert rpm("import", "csv", *arguments, cwd=tmp_path).code == 2
    (tmp_path / "file.csv").write_text(FILE)
    done = rpm("import", "csv", "file.csv", "--mapping", "none.yaml", "--trades", "out.parquet", cwd=tmp_path)
    assert done.code == 2
    assert "--example" in done.err
    (tmp_path / "out.parquet").write_bytes(b"mine")
    assert imported().code == 2
    assert imported(FILE, MAPPING, "--force").code == 0


def test_a_decimal_comma_that_was_taken_for_the_end_of_a_cell_is_refused(imported):
    file = (
        "Ticket,Instrument,Direction,Open time,Close time,Lots,Open price,Close price,Profit,Swap,Commission,Comment\n"
        "1,EURUSD.m,Buy,04.03.2024 10:00:00,05.03.2024 16:30:00,1,2,3,500,50,-1,-7,trend\n"
    )
    done = imported(file, MAPPING.replace('delimiter: ";"', "delimiter: ','").replace("238.30", "549"))
    assert done.code == 2
    assert "line 2" in done.err
    assert "it has 13 cells, and the headings are 12" in done.err
