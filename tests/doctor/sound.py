"""An environment in which every check is satisfied, to be broken in one place."""

from dataclasses import replace
from pathlib import Path

from rpmcore.adapters.ledger.errors import Holder
from rpmcore.doctor.environment import Environment
from rpmcore.doctor.ledger_facts import LedgerFacts
from rpmcore.doctor.tested import TESTED

SOUND = Environment(
    system="linux", python=(3, 12, 4), sqlite=(3, 51, 3),
    requirements=(*(f"{name.lower()}>=0.1" for name in TESTED), "httpx>=0.27; extra == 'alerts'",
                  "jinja2>=3.1; extra == 'report'", "ruff>=0.8; extra == 'dev'"),
    packages={**{name.lower(): version for name, version in TESTED.items()}, "httpx": "0.28.1", "jinja2": "3.1.6",
              "ruff": None},
    unimportable={}, variables={}, kernel_cache=Path("/cache/kernels-1"), kernel_error=None, kernels_compiled=True,
    machine="x86_64",
    cpu_features=frozenset({"sse2", "avx2"}), processors=4, processor_quota=None, memory=8 << 30, memory_limit=None,
    encoding="utf-8", columns=120, temporary=Path("/tmp"), temporary_error=None, open_files=1024,  # noqa: S108
    command=Path("/opt/rpm/bin/rpm"), command_is_ours=True, time_zones=True, mounts={"/": "ext4", "/net": "nfs4"},
    key_file=Path("/none/rpmcore/ledger.key"), settings_folders=(), now=1_700_000_000_000_000_000,
)  # fmt: skip

LEDGER = LedgerFacts(
    path=Path("desk.ledger"), error=None, commands=7, newest=1_699_999_999_000_000_000, file_system="ext4",
    unsynced=None, free=8 << 30, log_bytes=0, ballast=True, witness=True, halted=None, holder=None, key_id="0" * 16,
)  # fmt: skip

HOLDER = Holder(pid=42, host="desk-1", since="2023-11-14T22:00:00+00:00")


def broken(**changes):
    return replace(SOUND, **changes)


def broken_ledger(**changes):
    return replace(LEDGER, **changes)
