"""The command ``rpm`` in the process of the tests: what it prints and how it ends, without the second that one takes.

A directory whose tests are about what a command says uses this; each has a test that starts a process as a user does.
"""

import gc
import os
import sys
from contextlib import chdir, nullcontext, redirect_stderr, redirect_stdout
from io import StringIO
from unittest.mock import patch

from rpm_cli import main
from tests.cli.conftest import Outcome


def rpm_in_process(*arguments, cwd=None, **environment):
    """Run the command and return its outcome; the parser, the environment and the folder are as they were before."""
    out, err = StringIO(), StringIO()
    kept = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "NO_COLOR", "FORCE_COLOR")}
    commands, groups = list(main.app.registered_commands), list(main.app.registered_groups)
    with (
        patch.dict(os.environ, {**kept, **environment}, clear=True),
        patch.object(sys, "argv", ["rpm", *map(str, arguments)]),
        nullcontext() if cwd is None else chdir(cwd),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            main.run()
            code = 0
        except SystemExit as end:
            code = end.code or 0
        finally:
            main.app.registered_commands, main.app.registered_groups = commands, groups
            gc.unfreeze()
            gc.enable()
    assert "Traceback" not in err.getvalue()
    return Outcome(code, out.getvalue(), err.getvalue())
