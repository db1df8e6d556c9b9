import json

import pyarrow.parquet as pq
import pytest

from rpmcore.adapters.ledger.audit import export_head, show, verify
from rpmcore.adapters.ledger.chain import head_from_json
from rpmcore.adapters.ledger.errors import LedgerDamaged, LedgerUnusable
from rpmcore.adapters.ledger.export import export
from rpmcore.adapters.ledger.ledger import Ledger
from rpmcore.adapters.ledger.reader import LedgerReader
from rpmcore.adapters.ledger.records import NewRecord
from rpmcore.domain.canonical import canonical_bytes
from rpmcore.domain.errors import InvalidArgument
from tests.ledgers import GENESIS, KEY, OTHER_KEY, body, decided, raw, write_ledger


@pytest.fixture
def path(tmp_path):
    return write_ledger(tmp_path / "gate.ledger")


def positions(records):
    return [record.position for record in records]


def test_an_untouched_ledger_verifies(path):
    found = verify(path, KEY)
    assert (found.ok, found.records, found.bad_position, found.why) == (True, 11, None, None)
    assert found.by_kind == {"command": 3, "decision": 3, "event": 3, "genesis": 1, "snapshot": 1}
    assert (found.head.position, found.head.sequence) == (11, 3)
    assert found.anchors == 1, "the witness"


def test_a_ledger_verifies_while_a_gate_writes_to_it(path):
    with Ledger.open(path, KEY) as ledger:
        for sequence in range(4, 30):
            ledger.append(decided(sequence))
            found = verify(path, KEY)
            assert (found.ok, found.head) == (True, ledger.head)


def test_anchors_of_earlier_days_lie_on_the_chain(path):
    anchors = [export_head(path, KEY)]
    with Ledger.open(path, KEY) as ledger:
        ledger.append(decided(4))
        anchors.append(export_head(path, KEY))
        ledger.append(decided(5))
    found = verify(path, KEY, anchors=anchors)
    assert (found.ok, found.anchors) == (True, 3)


def test_an_exported_head_is_the_head_as_canonical_json(path):
    raw_head = export_head(path, KEY)
    plain = json.loads(raw_head)
    assert canonical_bytes(plain) == raw_head
    assert (plain["schema"], plain["position"], plain["sequence"]) == ("rpm.ledger.head/1", 11, 3)
    with LedgerReader.open(path) as reader:
        assert head_from_json(raw_head) == reader.head


def test_a_head_is_not_exported_under_another_key(path):
    with pytest.raises(LedgerDamaged, match="does not hold under this key"):
        export_head(path, OTHER_KEY)


def altered(anchor, **values):
    return canonical_bytes({**json.loads(anchor), **values})


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda anchor: anchor.replace(b'"position":11', b'"position":10'), "anchor 1 was altered"),
        (lambda anchor: altered(anchor, sequence=4), "anchor 1 was altered"),
        (lambda anchor: altered(anchor, mac="00" * 32), "anchor 1 was altered"),
        (lambda anchor: altered(anchor, signature=""), "anchor 1 was altered"),
        (lambda anchor: altered(anchor, ledger="0" * 32), "anchor 1 was signed for the ledger 0"),
        (lambda anchor: altered(anchor, schema="rpm.ledger.head/2"), "anchor 1 is no signed head"),
        (lambda anchor: altered(anchor, more=1), "anchor 1 is no signed head"),
        (lambda anchor: altered(anchor, position=True), "anchor 1 is no signed head"),
        (lambda anchor: altered(anchor, position=2**70), "anchor 1 is no signed head"),
        (lambda anchor: altered(anchor, mac=[1]), "anchor 1 is no signed head"),
        (lambda anchor: anchor[:-1], "anchor 1 cannot be read as JSON"),
        (lambda _: b"[]", "anchor 1 is no signed head"),
        (lambda _: b"", "anchor 1 cannot be read as JSON"),
    ],
)
def test_an_anchor_that_was_altered_is_no_proof(path, change, told):
    found = verify(path, KEY, anchors=[change(export_head(path, KEY))])
    assert not found.ok
    assert found.why.startswith(told)


def test_an_anchor_of_another_ledger_is_told(path, tmp_path):
    other = write_ledger(tmp_path / "other.ledger")
    found = verify(path, KEY, anchors=[export_head(other, KEY)])
    assert (found.ok, found.bad_position) == (False, None)
    assert "was signed for the ledger" in found.why


def test_there_must_be_a_ledger_to_verify(tmp_path):
    for action in (lambda p: verify(p, KEY), lambda p: export_head(p, KEY), lambda p: list(show(p))):
        with pytest.raises(LedgerUnusable, match="there is no ledger at"):
            action(tmp_path / "none")


def test_the_trail_is_filtered(path):
    with Ledger.open(path, KEY) as ledger:
        ledger.append([NewRecord(kind="command", sequence=4, body=body(signal_id="signal-1", correlation_id='q"é'))])
    assert positions(show(path)) == list(range(1, 13))
    assert positions(show(path, kind="decision")) == [3, 6, 10]
    assert positions(show(path, sequence=2)) == [5, 6, 7, 8]
    assert positions(show(path, signal="signal-1")) == [2, 3, 4, 12]
    assert positions(show(path, signal="signal-")) == []
    assert positions(show(path, correlation="c1")) == [2, 3, 4, 9, 10, 11]
    assert positions(show(path, since=0)) == []  # none of these commands tells a time
    assert positions(show(path, correlation='q"é')) == [12]
    assert positions(show(path, last=2)) == [11, 12]
    assert positions(show(path, correlation="c1", kind="event", last=1)) == [11]
    assert positions(show(path, sequence=2, signal="signal-1")) == []
    for wrong in ({"kind": "order"}, {"last": 0}):
        with pytest.raises(InvalidArgument):
            show(path, **wrong)


def test_json_lines_hold_every_record_and_bodies_byte_for_byte(path, tmp_path):
    with Ledger.open(path, KEY) as ledger:
        ledger.append([NewRecord(kind="event", sequence=4, body=text) for text in (b"no json", b"[1,\n2]", b"1.50")])
        records = list(ledger.records())
        assert export(path, tmp_path / "out.jsonl", "jsonl") == 14
    lines = (tmp_path / "out.jsonl").read_bytes().splitlines(keepends=True)
    assert len(lines) == 14
    for line, record in zip(lines, records, strict=True):
        plain = json.loads(line)
        assert (plain["position"], plain["kind"], plain["sequence"]) == (record.position, record.kind, record.sequence)
        assert (plain["key"], bytes.fromhex(plain["mac"])) == (record.key, record.mac)
        if record.position in (12, 13):
            assert plain["text"].encode() == record.body
        else:
            assert b'{"body":' + record.body + b',"key"' in line


def test_parquet_holds_every_record(path, tmp_path):
    with LedgerReader.open(path) as reader:
        records = list(reader.records())
    assert export(path, tmp_path / "out.parquet", "parquet") == 11
    rows = pq.read_table(tmp_path / "out.parquet").to_pylist()
    assert [
        (r["position"], r["kind"], r["sequence"], r["key"], r["body"].encode(), bytes.fromhex(r["mac"])) for r in rows
    ] == [(r.position, r.kind, r.sequence, r.key, r.body, r.mac) for r in records]


def test_an_export_of_more_than_one_group_is_whole(tmp_path):
    path = tmp_path / "long"
    with Ledger.create(path, KEY, GENESIS) as ledger:
        ledger.append([NewRecord(kind="event", sequence=1, body=b"{}") for _ in range(25_000)])
    export(path, tmp_path / "out", "parquet")
    assert pq.read_table(tmp_path / "out")["position"].to_pylist() == list(range(1, 25_002))


@pytest.mark.parametrize(
    "change",
    ["body = CAST(body AS TEXT)", "body = x'ff'", "kind = x'07'", "sequence = 'x'", "key = x'07'", "mac = 'x'"],
)
@pytest.mark.parametrize("format_", ["jsonl", "parquet"])
def test_what_rpm_never_writes_is_not_exported_as_if_it_had(path, tmp_path, change, format_):
    with raw(path) as connection:
        connection.execute(f"UPDATE records SET {change} WHERE position = 7")  # noqa: S608
    with pytest.raises(LedgerDamaged):
        export(path, tmp_path / "out", format_)
    assert not (tmp_path / "out").exists()
    if "ff" not in change:
        with pytest.raises(LedgerDamaged, match="record 7 holds what rpm never writes"):
            list(show(path))


@pytest.mark.parametrize("column", ["ledger", "position", "sequence", "mac", "signature"])
def test_a_head_that_rpm_never_wrote_is_not_exported(path, column):
    with raw(path) as connection:
        connection.execute(f"UPDATE head SET {column} = 'x'")  # noqa: S608
    with pytest.raises(LedgerDamaged):
        export_head(path, KEY)


def test_an_export_that_fails_leaves_what_was_there(path, tmp_path):
    out = tmp_path / "out.jsonl"
    out.write_text("earlier")
    with raw(path) as connection:
        connection.execute("UPDATE records SET body = CAST(x'ff' AS TEXT) WHERE position = 7")
    with pytest.raises(LedgerDamaged, match="SQLite cannot read it"):
        export(path, out, "jsonl")
    assert out.read_text() == "earlier"
    with pytest.raises(LedgerUnusable, match="cannot be written"):
        export(write_ledger(tmp_path / "sound"), tmp_path / "no" / "out", "jsonl")
    with pytest.raises(InvalidArgument, match="jsonl or parquet"):
        export(path, out, "csv")
    assert sorted(file.suffix for file in tmp_path.glob("out*")) == [".jsonl"]
