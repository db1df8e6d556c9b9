import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rpmcore.doctor import examination, ledger
from tests.doctor.sound import LEDGER, SOUND

ROOT = Path(__file__).parents[2]


def proofs():
    text = (ROOT / "docs" / "requirements.md").read_text(encoding="utf-8")
    return sorted(set(re.findall(r"`((?:tests|benchmarks)/[\w/]+\.py(?:::\w+)?)`", text)))


@pytest.mark.parametrize("proof", proofs())
def test_every_proof_exists(proof):
    path, _, name = proof.partition("::")
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    assert not name or name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_failure_of_the_ledger_names_its_test():
    manual = (ROOT / "docs" / "ledger.md").read_text(encoding="utf-8")
    written = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "tests" / "adapters").glob("*.py"))
    named = set(re.findall(r"`(test_\w+)`", manual))
    assert len(named) > 20
    assert not {name for name in named if f"def {name}(" not in written}


def test_documents_quote_the_program_as_it_is():
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "generated.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_every_check_of_the_doctor_has_its_line():
    manual = (ROOT / "docs" / "doctor.md").read_text(encoding="utf-8")
    names = {check.__name__.replace("_", " ") for check in examination.CHECKS}
    names |= {check(LEDGER, SOUND).name for check in ledger.CHECKS}
    assert names == set(re.findall(r"^\| `([\w ]+)` \|", manual, re.MULTILINE))
