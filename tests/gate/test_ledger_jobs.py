"""What commands do to a ledger, called from Python."""

import pytest

from rpmcore import ledger_jobs
from rpmcore.adapters.control_folder import ControlFolder
from rpmcore.adapters.ledger.ledger import Ledger
from rpmcore.adapters.signing_key import VARIABLE
from rpmcore.domain.errors import ConfigurationError, InvalidArgument, Unavailable
from rpmcore.ledger_jobs import RequestStands, new_gate, open_gate, operate
from tests.gate.conftest import KEY
from tests.small_gate import write_key, write_small_ledger

SAID = {"operator": "A. Person", "reason": "drill"}


@pytest.fixture
def small(tmp_path):
    folder = tmp_path / "ledger"
    folder.mkdir()
    return write_small_ledger(folder / "desk.ledger")


def test_a_request_to_a_holder_that_leaves_without_looking_is_carried_out_all_the_same(small, monkeypatch):
    holder = Ledger.open(small, KEY)

    class Impatient(ControlFolder):
        def await_acknowledgement(self, request_id, timeout, **times):
            if timeout:
                holder.close()
            return super().await_acknowledgement(request_id, 0.0, **times)

    monkeypatch.setattr(ledger_jobs, "ControlFolder", Impatient)
    done = operate(small, "trip", value="halt", key=KEY, **SAID)
    assert (done.by, done.trading_state, done.sequence) == ("the gate", "reducing", 28)


def test_a_holder_that_stays_and_does_not_answer_leaves_the_request(small):
    with Ledger.open(small, KEY), pytest.raises(RequestStands, match="The request stands") as refused:
        operate(small, "trip", value="halt", key=KEY, patience=0.0, **SAID)
    assert isinstance(refused.value, Unavailable)
    (waiting,) = ControlFolder(small).pending()
    assert waiting.id == refused.value.request_id
    # The next command obeys it before its own: what was asked is not undone by what comes later.
    operate(small, "reset", key=KEY, **SAID)
    assert ControlFolder(small).pending() == ()
    with pytest.raises(InvalidArgument, match="there is no severity 'hault'"):
        operate(small, "trip", value="hault", key=KEY, **SAID)
    with pytest.raises(InvalidArgument, match="a written reason"):
        operate(small, "reset", key=KEY, operator="A. Person", reason="")


def test_a_gate_is_made_and_opened_with_the_user_s_key(tmp_path, monkeypatch):
    folder = tmp_path / "ledger"
    folder.mkdir()
    path = folder / "desk.ledger"
    monkeypatch.setenv(VARIABLE, str(write_key(tmp_path / "keys")))
    with new_gate(ledger=path) as gate:
        assert list(gate.engine.genesis.strategies) == ["core_equity"]
        assert gate.engine.genesis.platform["numpy"]
        gate.tick(at=gate.engine.last_at + 1)
    with open_gate(path) as gate:
        assert gate.engine.sequence == 1
    monkeypatch.setenv(VARIABLE, str(tmp_path / "none"))
    with pytest.raises(ConfigurationError):
        open_gate(path)
