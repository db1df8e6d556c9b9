"""Does rpm read, compute and record as it must? These run it instead of looking at it."""

from rpmcore.doctor.environment import Environment
from rpmcore.doctor.finding import Finding, ok

REINSTALL = "python -m pip install --force-reinstall rpmcore"


def sample_data(_environment: Environment) -> Finding:
    """Can the sample be read?"""
    from rpmcore.api import open_prices
    from rpmcore.domain import reference
    from rpmcore.inputs import SAMPLE_PRICES, read_sample_book

    positions, series = len(read_sample_book().holdings), len(open_prices(reference.sample_path(SAMPLE_PRICES)).symbols)
    return ok("sample data", f"{positions} positions, {series} price series", "the sample can be read")


def known_answer(_environment: Environment) -> Finding:
    """Losses 1 to 10 with a tail of 0.25: VaR 8 and ES 9.2 (Acerbi and Tasche 2002, definition 2.6)."""
    from rpmcore.risk.value_at_risk import historical

    found = historical([-float(loss) for loss in range(1, 11)], 0.75)
    if (found.value_at_risk, found.expected_shortfall) != (8.0, 9.2):
        raise ArithmeticError(f"VaR {found.value_at_risk}, ES {found.expected_shortfall} where 8 and 9.2 are right")
    return ok("known answer", "VaR 8, ES 9.2 of the losses 1 to 10 at 0.75", "VaR 8 and ES 9.2")


def written_ledger(_environment: Environment) -> Finding:
    """Write a ledger among the temporary files and verify it; what the disk of a gate does is not known from that."""
    import tempfile

    from rpmcore.adapters.ledger.audit import verify
    from rpmcore.adapters.ledger.ledger import Ledger
    from rpmcore.adapters.ledger.records import NewRecord
    from rpmcore.domain.signing_key import SHORTEST_SECRET, SigningKey

    key = SigningKey(bytes(SHORTEST_SECRET))
    with tempfile.TemporaryDirectory(prefix="rpm-doctor-") as folder:
        path = f"{folder}/ledger"
        with Ledger.create(path, key, b"{}") as ledger:
            ledger.append([NewRecord(kind="event", sequence=1, body=b"{}")])
        found = verify(path, key)
    if not found.ok or found.records != 2:
        raise ArithmeticError(f"a ledger written just now does not verify: {found.why}")
    return ok("written ledger", "a ledger among the temporary files is written and verifies", "it verifies")


CHECKS = (sample_data, known_answer, written_ledger)
