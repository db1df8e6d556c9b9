import sys

from rpmcore.adapters.ledger.ledger import Ledger
from tests.kill9 import campaign
from tests.ledgers import KEY


def test_what_was_acknowledged_survives_any_kill_and_nothing_is_doubled(tmp_path):
    path = tmp_path / "gate.ledger"
    acknowledged = []
    for kill in campaign([sys.executable, "-m", "tests.kill9", str(path)], kills=10, seed=8):
        acknowledged += map(int, kill.acknowledged)
        if not path.exists():
            assert not acknowledged
            continue
        with Ledger.open(path, KEY) as ledger:
            commands = [record.sequence for record in ledger.records("command")]
            assert ledger.halted is None
            assert ledger.head.position == 1 + 3 * len(commands), "all records of a signal, or none"
        assert commands == list(range(1, len(commands) + 1)), "none twice, none left out"
        assert set(acknowledged) <= set(commands)
        unacknowledged = len(commands) - len(acknowledged)
        assert 0 <= unacknowledged <= kill.number, "at most one of each child"
    assert len(acknowledged) > 50
