"""``python -m rpmcore`` is the command ``rpm``."""

from rpm_cli.main import run

run()
