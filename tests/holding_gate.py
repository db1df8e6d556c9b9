"""A second process that holds a ledger: ``python holding_gate.py LEDGER obeys|sleeps``, until its input ends.

It says ``holding`` once it has the ledger. One that obeys ticks whenever it is asked to by a line, as a gate does whose
signals keep coming; one that sleeps does nothing.
"""

import sys

from rpmcore.adapters.signing_key import load_signing_key
from rpmcore.gate import RiskGate


def main(ledger, manner):
    with RiskGate.open(ledger, load_signing_key().key) as gate:
        print("holding", flush=True)
        for _ in sys.stdin:
            if manner == "obeys":
                gate.tick(at=gate.engine.last_at + 1)


if __name__ == "__main__":
    main(*sys.argv[1:])
