"""Whatever is changed in the file of a ledger is noticed, or changes nothing that anybody reads."""

import random
import shutil
import sqlite3

import pytest

from rpmcore.adapters.ledger.audit import export_head, verify
from rpmcore.adapters.ledger.errors import LedgerDamaged
from rpmcore.adapters.ledger.ledger import Ledger
from rpmcore.adapters.ledger.reader import LedgerReader
from tests.ledgers import GENESIS, KEY, OTHER_KEY, decided, raw, write_ledger

COLUMNS = ("position", "kind", "sequence", "key", "body", "mac")
HEAD_COLUMNS = ("one", "ledger", "key_id", "position", "sequence", "mac", "signature")
RECORDS = 11


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    return write_ledger(tmp_path_factory.mktemp("sound") / "gate.ledger")


@pytest.fixture
def path(sound, tmp_path):
    """Give a copy that may be spoilt, with the witness beside it."""
    for file in sound.parent.iterdir():
        shutil.copy(file, tmp_path)
    return tmp_path / sound.name


@pytest.fixture
def alone(sound, tmp_path):
    """Give a copy without the witness, as one that was taken elsewhere."""
    return shutil.copy(sound, tmp_path / "copy.ledger")


def refusal(path, **options):
    """Verify, open and read, all of which must agree; return what was found."""
    found = verify(path, KEY, **options)
    assert not found.ok
    assert found.head is None
    assert found.why
    assert found.records < (found.bad_position or RECORDS + 10)
    if not options:
        for opened in (Ledger.open, LedgerReader.open):
            with pytest.raises(LedgerDamaged) as refused:
                opened(path, KEY)
            assert (refused.value.position, refused.value.why) == (found.bad_position, found.why)
    return found


def other_values(value):
    """Return values of every type that SQLite keeps, none of which is the one given."""
    others = [None, 0, 1, -1, 10**18, 1.5, "", "command", b"", b"\0"]
    if isinstance(value, int):
        others += [value + 1, value - 1, str(value), float(value)]
    elif isinstance(value, str):
        others += [value + "x", value[:-1], value.swapcase(), value.encode(), value + "\0"]
    elif isinstance(value, bytes):
        others += [value + b"x", value[:-1], value[::-1], value.hex()]
    return [other for other in others if not (type(other) is type(value) and other == value)]


def cells(table, columns, path):
    with raw(path) as connection:
        rows = connection.execute(f"SELECT rowid, {', '.join(columns)} FROM {table}").fetchall()  # noqa: S608
    return [(row[0], column, value) for row in rows for column, value in zip(columns, row[1:], strict=True)]


@pytest.mark.parametrize(("table", "columns"), [("records", COLUMNS), ("head", HEAD_COLUMNS)])
def test_every_other_value_in_every_column_of_every_row_is_noticed(alone, table, columns):
    tried = 0
    with raw(alone) as connection:
        for row, column, value in cells(table, columns, alone):
            for other in other_values(value):
                connection.execute("BEGIN")
                try:
                    statement = f"UPDATE {table} SET {column} = ? WHERE rowid = ?"  # noqa: S608
                    connection.execute(statement, (other, row))
                except sqlite3.IntegrityError:  # what SQLite itself refuses need not be noticed
                    connection.execute("ROLLBACK")
                    continue
                written = connection.execute(
                    f"SELECT {column} FROM {table} WHERE rowid = ?", (row,)  # noqa: S608
                ).fetchone()  # fmt: skip
                connection.execute("COMMIT")
                if written is None or type(written[0]) is not type(value) or written[0] != value:
                    tried += 1
                    found = verify(alone, KEY)
                    assert not found.ok, (table, row, column, value, other)
                    if table == "records" and column != "position":
                        assert found.bad_position == row
                target = other if column in ("position", "one") else row
                restore = f"UPDATE {table} SET {column} = ? WHERE rowid = ?"  # noqa: S608
                connection.execute(restore, (value, target if isinstance(target, int) else row))
    assert tried > (500 if table == "records" else 50)
    assert verify(alone, KEY).ok


@pytest.mark.parametrize("column", ["body", "mac"])
def test_every_byte_of_every_body_and_code_counts(alone, column):
    with raw(alone) as connection:
        for row, _, value in cells("records", (column,), alone):
            statement = f"UPDATE records SET {column} = ? WHERE position = ?"  # noqa: S608
            for at in range(len(value)):
                spoilt = bytearray(value)
                spoilt[at] ^= 1 << (at % 8)
                connection.execute(statement, (bytes(spoilt), row))
                found = verify(alone, KEY)
                assert (found.ok, found.bad_position, found.records) == (False, row, row - 1)
                assert found.why == f"record {row} is not the one that was written there"
            connection.execute(statement, (value, row))
    assert verify(alone, KEY).ok


@pytest.mark.parametrize("position", range(1, RECORDS + 1))
def test_a_deleted_row_is_noticed(alone, position):
    with raw(alone) as connection:
        connection.execute("DELETE FROM records WHERE position = ?", (position,))
    found = refusal(alone)
    assert found.bad_position == position
    assert f"record {position} is missing" in found.why


@pytest.mark.parametrize("position", range(1, RECORDS))
def test_a_row_deleted_and_the_rest_moved_up_is_noticed(alone, position):
    with raw(alone) as connection:
        connection.execute("DELETE FROM records WHERE position = ?", (position,))
        for later in range(position + 1, RECORDS + 1):
            connection.execute("UPDATE records SET position = ? WHERE position = ?", (later - 1, later))
    assert refusal(alone).bad_position == position


@pytest.mark.parametrize("first", range(1, RECORDS))
@pytest.mark.parametrize("step", [1, 4])
def test_swapped_rows_are_noticed(alone, first, step):
    second = min(first + step, RECORDS)
    with raw(alone) as connection:
        for old, new in ((first, -1), (second, first), (-1, second)):
            connection.execute("UPDATE records SET position = ? WHERE position = ?", (new, old))
    assert refusal(alone).bad_position == first


@pytest.mark.parametrize("position", [-5, 0, RECORDS + 1, RECORDS + 7, 2**62])
def test_an_inserted_row_is_noticed(alone, position):
    with raw(alone) as connection:
        connection.execute(
            "INSERT INTO records SELECT ?, kind, sequence, NULL, body, mac FROM records WHERE position = 7", (position,)
        )
    found = refusal(alone)
    assert found.bad_position == (1 if position < 1 else RECORDS + 1)


@pytest.mark.parametrize("kept", range(RECORDS))
def test_a_truncated_tail_is_noticed(alone, kept):
    with raw(alone) as connection:
        connection.execute("DELETE FROM records WHERE position > ?", (kept,))
    found = refusal(alone)
    assert (found.bad_position, found.records) == (kept + 1, kept)
    assert "is missing: the head was signed at 11" in found.why


def test_an_older_head_does_not_hide_what_follows(path):
    with raw(path) as connection:
        older = connection.execute("SELECT * FROM head").fetchone()
    with Ledger.open(path, KEY) as ledger:
        ledger.append(decided(4))
    with raw(path) as connection:
        connection.execute("DELETE FROM head")
        connection.execute("INSERT INTO head VALUES(?, ?, ?, ?, ?, ?, ?)", older)
    found = refusal(path)
    assert found.bad_position == 12
    assert found.why.startswith("record 12 stands behind the end that the head was signed at, 11: the head is an older")


def test_a_tail_cut_off_together_with_its_head_is_noticed_by_witness_and_anchor(path, alone):
    """The chain alone verifies: an older state, whole, is one that rpm once wrote."""
    with Ledger.open(path, KEY) as ledger:
        ledger.append(decided(4))
    anchor = export_head(path, KEY)
    shutil.copy(alone, path)
    found = refusal(path)
    assert found.bad_position == 12
    assert "gate.ledger.witness was signed at record 14, and the ledger ends at 11" in found.why
    (path.parent / "gate.ledger.witness").unlink()
    assert verify(path, KEY).ok, "nothing but an anchor tells"
    found = refusal(path, anchors=[anchor])
    assert (found.bad_position, found.anchors) == (12, 0)
    assert found.why.startswith("anchor 1 was signed at record 14, and the ledger ends at 11")


def test_another_history_from_the_same_beginning_is_noticed_by_an_anchor(path, alone):
    """Somebody with the key goes on from an older copy."""
    with Ledger.open(path, KEY) as ledger:
        ledger.append(decided(4))
    anchor = export_head(path, KEY)
    with Ledger.open(alone, KEY) as ledger:
        ledger.append(decided(4, key="another"))
        ledger.append(decided(5))
    assert verify(alone, KEY).ok
    found = refusal(alone, anchors=[anchor])
    assert found.why == "anchor 1 was signed on another chain: record 14 is not the one it names"


def test_records_of_another_ledger_with_the_same_key_do_not_fit(alone, tmp_path):
    other = write_ledger(tmp_path / "other.ledger")
    with raw(alone) as connection:
        connection.execute("ATTACH ? AS other", (str(other),))
        connection.execute("DELETE FROM records WHERE position = 4")
        connection.execute("INSERT INTO records SELECT * FROM other.records WHERE position = 4")
    assert refusal(alone).bad_position == 4
    with raw(alone) as connection:
        connection.execute("ATTACH ? AS other", (str(other),))
        connection.execute("DELETE FROM records")
        connection.execute("INSERT INTO records SELECT * FROM other.records")
    assert refusal(alone).bad_position == 1


def test_another_key_does_not_open_it_even_if_the_ledger_says_so(alone):
    assert "the key given is" in verify(alone, OTHER_KEY).why
    with raw(alone) as connection:
        connection.execute("UPDATE head SET key_id = ?", (OTHER_KEY.id,))
    assert "signature does not hold" in verify(alone, OTHER_KEY).why


SCHEMA_CHANGES = {
    "a view that hides rows": (
        "DROP VIEW decisions",
        "CREATE VIEW decisions AS SELECT position, sequence, key, CAST(body AS TEXT) AS body, lower(hex(mac)) AS mac "
        "FROM records WHERE kind = 'decision' AND position <> 3",
    ),
    "a view that is gone": ("DROP VIEW events",),
    "a view more": ("CREATE VIEW all_of_it AS SELECT * FROM records",),
    "a trigger": ("CREATE TRIGGER t AFTER INSERT ON records BEGIN DELETE FROM records WHERE position = 2; END",),
    "a table more": ("CREATE TABLE other(x)",),
    "an index that is gone": ("DROP INDEX records_by_key",),
    "an index that is another": ("DROP INDEX records_by_key", "CREATE INDEX records_by_key ON records(key)"),
    "statistics": ("ANALYZE",),
    "a column more": ("ALTER TABLE records ADD COLUMN more TEXT",),
    "a head that is gone": ("DELETE FROM head",),
    "a second head": ("INSERT INTO head SELECT 2, ledger, key_id, position, sequence, mac, signature FROM head",),
    "no table of the head": ("DROP TABLE head",),
    "another version": ("PRAGMA user_version = 2",),
    "another application": ("PRAGMA application_id = 252006674",),
    "the definition rewritten": (
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_master SET sql = replace(sql, 'position <= 0', '') || ' ' WHERE name = 'genesis'",
    ),
}


@pytest.mark.parametrize("change", SCHEMA_CHANGES)
def test_a_changed_schema_is_noticed(alone, change):
    with raw(alone) as connection:
        for statement in SCHEMA_CHANGES[change]:
            connection.execute(statement)
    refusal(alone)


def test_an_index_that_leads_nowhere_is_noticed(alone):
    """The chain does not use it, but a duplicate signal is looked up by it."""
    with raw(alone) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        query = "SELECT rowid, rootpage FROM sqlite_master WHERE name IN ('records_by_key', 'snapshots_by_position')"
        (one, first), (two, second) = connection.execute(query).fetchall()
        connection.execute("UPDATE sqlite_master SET rootpage = ? WHERE rowid = ?", (second, one))
        connection.execute("UPDATE sqlite_master SET rootpage = ? WHERE rowid = ?", (first, two))
    assert "the database file is damaged" in refusal(alone).why


def readings(path):
    """Return all that anybody reads from a ledger, in any way."""
    with LedgerReader.open(path) as reader:
        records = list(reader.records())
        found = [reader.find(record.key) for record in records if record.key is not None]
        rest = reader.genesis(), reader.latest_snapshot(), reader.head, reader.find("unknown")
    with raw(path) as connection:
        views = [
            connection.execute(f"SELECT * FROM {view}").fetchall()  # noqa: S608
            for view in ("commands", "decisions", "events", "genesis", "snapshots")
        ]
        by_position = [
            connection.execute("SELECT * FROM records WHERE position = ?", (record.position,)).fetchone()
            for record in records
        ]
    return records, found, rest, views, by_position


def flips(content, count):
    """Draw places with their bit, three in four of them where something is stored."""
    draw = random.Random(20260728)  # noqa: S311 - places, not secrets
    used = [at for at, byte in enumerate(content) if byte]
    for number in range(count):
        yield draw.choice(used) if number % 4 else draw.randrange(len(content)), 1 << draw.randrange(8)


def test_a_flipped_bit_of_the_file_is_noticed_or_leaves_every_reading_as_it_was(sound, alone):
    content = sound.read_bytes()
    before, noticed = readings(alone), 0
    for at, bit in flips(content, 2000):
        spoilt = bytearray(content)
        spoilt[at] ^= bit
        with open(alone, "wb") as file:  # noqa: PTH123 - the copy is a path as text
            file.write(spoilt)
        found = verify(alone, KEY)
        noticed += not found.ok
        if found.ok:
            assert readings(alone) == before, (at, bit)
    assert noticed > 1000


@pytest.mark.parametrize("size", [0, 1, 50, 100, 4095, 4096, 5000, 8192, -4096, -32])
def test_a_truncated_file_is_noticed(alone, sound, size):
    """At its end the file has the signature of the head; a byte of zero missing there is read as zero."""
    content = sound.read_bytes()
    with open(alone, "wb") as file:  # noqa: PTH123
        file.write(content[: size if size >= 0 else len(content) + size])
    refusal(alone)


@pytest.mark.parametrize("page", range(5))
def test_a_page_of_noise_is_noticed(alone, sound, page):
    content = bytearray(sound.read_bytes())
    assert len(content) == 5 * 4096
    content[page * 4096 : (page + 1) * 4096] = random.Random(page).randbytes(4096)  # noqa: S311
    with open(alone, "wb") as file:  # noqa: PTH123
        file.write(content)
    refusal(alone)


@pytest.mark.parametrize("content", [b"", b"no database at all", b"PAR1" + bytes(5000), bytes(8192)])
def test_a_file_that_is_no_database_is_told_and_left_as_it_is(tmp_path, content):
    path = tmp_path / "gate.ledger"
    path.write_bytes(content)
    refusal(path)
    assert path.read_bytes() == content


def test_the_database_of_another_application_is_told_and_left_as_it_is(tmp_path):
    path = tmp_path / "gate.ledger"
    with raw(path) as connection:
        connection.execute("CREATE TABLE records(position INTEGER PRIMARY KEY)")
    before = path.read_bytes()
    assert refusal(path).why == "it is the database of another application"
    assert path.read_bytes() == before


def test_a_witness_that_was_altered_is_noticed(path):
    witness = path.parent / "gate.ledger.witness"
    content = witness.read_bytes()
    for spoilt in (b"", content[:100], content.replace(b'"position":11', b'"position":10'), b"\xff" + content):
        witness.write_bytes(spoilt)
        assert "the witness gate.ledger.witness" in refusal(path).why
    witness.unlink()
    with Ledger.open(path, KEY) as ledger:
        ledger.append(decided(4))
    assert verify(path, KEY).anchors == 1


def test_a_genesis_of_ones_own_making_needs_the_key(tmp_path):
    Ledger.create(tmp_path / "mine", OTHER_KEY, GENESIS).close()
    assert not verify(tmp_path / "mine", KEY).ok
