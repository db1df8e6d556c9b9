import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families as parse

from rpmcore.adapters.ledger.reader import LedgerReader
from rpmcore.domain import canonical

QUICK = ("gate", "run", "--until", "2015-01-30")


@pytest.fixture
def key_file(tmp_path, monkeypatch):
    path = tmp_path / "keys" / "desk.key"
    path.parent.mkdir(mode=0o700)
    path.write_text("0123456789abcdef" * 4)
    path.chmod(0o600)
    monkeypatch.setenv("RPM_LEDGER_KEY_FILE", str(path))
    return path


def test_the_sample_ends_with_a_summary(rpm):
    result = rpm(*QUICK)
    assert result.code == 0
    for told in ("Verdicts", "approved", "rejected", "the specification's 15% to 25%", "memory: nothing can be proven",
                 "sample operator", "Kill switches", "Year by year"):  # fmt: skip
        assert told in result.out
    assert "sample signals" in result.err


def test_json_has_every_figure(rpm):
    found = json.loads(rpm(*QUICK, "--json").out)
    total = found["total"]
    assert found["schema"] == "rpm.gate_run/1"
    assert total["approved"] + total["cut"] + total["rejected"] == total["signals"] > 100
    assert sum(found["reasons"].values()) == total["rejected"]
    assert total["rejected_share"] == pytest.approx(total["rejected"] / total["signals"])
    assert set(found["decision_ms"]) == {"p50", "p99", "max"}
    assert [month["name"] for month in found["months"]] == ["2015-01"]


@pytest.mark.usefixtures("key_file")
def test_everything_is_in_the_ledger_and_an_existing_one_is_never_overwritten(rpm, tmp_path):
    path = tmp_path / "ledgers" / "run.ledger"
    path.parent.mkdir()
    result = rpm(*QUICK, "--ledger", str(path), "--json")
    assert result.code == 0
    found = json.loads(result.out)
    total = found["total"]
    with LedgerReader.open(path) as reader:
        assert reader.head.signature.hex() == found["head"]
        assert sum(1 for _ in reader.records("decision")) == total["signals"]
    again = rpm(*QUICK, "--ledger", str(path))
    assert again.code in (2, 4)
    assert str(path) in again.err


@pytest.mark.usefixtures("key_file")
def test_two_runs_have_the_same_bytes_with_other_hash_seeds_and_thread_counts(tmp_path):
    bodies = []
    for seed, threads in (("1", "1"), ("77", "2")):
        path = tmp_path / f"run{seed}" / "run.ledger"
        path.parent.mkdir()
        environment = os.environ | {
            "PYTHONHASHSEED": seed, "OPENBLAS_NUM_THREADS": threads, "NUMBA_NUM_THREADS": threads,
            "OMP_NUM_THREADS": threads,
        }  # fmt: skip
        subprocess.run(
            [sys.executable, "-m", "rpmcore", *QUICK, "--quiet", "--ledger", str(path)], env=environment, check=True,
            capture_output=True, cwd=Path(__file__).parents[2],
        )  # fmt: skip
        with LedgerReader.open(path) as reader:
            bodies.append([(record.kind, unsigned(record.body)) for record in reader.records()])
    assert bodies[0] == bodies[1]


def unsigned(body):
    """Return a record without the signature of an approval, which is of its ledger alone."""
    return {name: value for name, value in canonical.parse(body).items() if name != "signature"}


def test_logs_and_metrics_say_what_the_summary_says(rpm, tmp_path):
    log, metrics = tmp_path / "run.log", tmp_path / "run.prom"
    result = rpm(*QUICK, "--json", "--log-file", str(log), "--metrics-file", str(metrics))
    found = json.loads(result.out)
    families = {family.name: family for family in parse(metrics.read_text())}
    counted = Counter()
    for sample in families["trade_decisions"].samples:
        counted[sample.labels["decision"]] += sample.value
    assert {name: counted[name] for name in ("approved", "cut", "rejected")} == {
        name: found["total"][name] for name in ("approved", "cut", "rejected")
    }
    reasons = {s.labels["reason"]: s.value for s in families["rpm_rejections"].samples if s.value}
    assert reasons == found["reasons"]
    (equity,) = families["rpm_equity"].samples
    assert equity.value == pytest.approx(found["equity"]["last"])
    lines = [json.loads(line) for line in log.read_text(encoding="ascii").splitlines()]
    decided = Counter(line["rpm.verdict"] for line in lines if line["event.action"] == "trade_decision")
    assert decided == {name: number for name, number in counted.items() if number}
    assert lines[0]["@timestamp"].startswith("2015-01")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.log", "run.prom"]


def test_a_log_or_metrics_file_that_cannot_be_written_is_told_before_the_run(rpm, tmp_path):
    for option in ("--log-file", "--metrics-file"):
        path = tmp_path / "missing" / "file"
        result = rpm(*QUICK, option, str(path))
        assert result.code == 2
        assert str(path) in result.err
        assert "Traceback" not in result.err
    assert list(tmp_path.iterdir()) == []


def test_a_strategy_that_nobody_gave_capital_is_told_and_turned_down(rpm, tmp_path):
    signals = tmp_path / "signals.csv"
    signals.write_text(
        "signal_id,strategy_id,symbol,side,quantity,entry,at\n"
        "1,nobody,EURUSD,buy,1000,1.06,2022-12-27T07:00:00Z\n2,trend_fx,EURUSD,buy,nan,1.06,2022-12-27T07:00:01Z\n"
    )
    book = Path(__file__).parents[2] / "data" / "portfolio.parquet"
    result = rpm("gate", "run", "--signals", str(signals), "--book", str(book), "--as-of", "2022-12-23", "--json")
    found = json.loads(result.out)
    assert found["reasons"] == {"unknown_strategy": 1, "invalid_signal": 1}
    assert any("nobody" in warning["message"] for warning in found["warnings"])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--book", "b.parquet"), "a book without signals"),
        (("--spread-bps", "-1"), "not a spread"),
        (("--until", "2014-06-30"), "the last prices up to 2014-06-30"),
        (("--signals", "nowhere.parquet"), "nowhere.parquet"),
    ],
)
def test_bad_usage_is_one_message(rpm, arguments, told):
    result = rpm("gate", "run", *arguments)
    assert result.code == 2
    assert told in result.err
    assert "Traceback" not in result.err


def test_a_last_day_that_cannot_be_is_told_by_its_own_name(rpm):
    for until, told in (("2015-13-01", "--until: '2015-13-01' is not a day"), ("2014-01-01", "Give a later --until")):
        result = rpm("gate", "run", "--until", until)
        assert result.code == 2
        assert told in " ".join(result.err.split())
