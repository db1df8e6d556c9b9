"""Being nobody in particular, which the tests of permissions need wherever they run."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

NOBODY = 65534
ROOT = sys.platform != "win32" and os.geteuid() == 0


@contextmanager
def without_privileges() -> Iterator[None]:
    """Be nobody for a while where the tests run as root, whom no permission stops."""
    if not ROOT:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
