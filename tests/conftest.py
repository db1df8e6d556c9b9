"""Hypothesis profiles, and the plain Python form of a kernel."""

import os
from collections.abc import Callable
from typing import Any

import hypothesis
import pytest

hypothesis.settings.register_profile("dev", max_examples=50, deadline=None)
hypothesis.settings.register_profile("ci", max_examples=50, deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.register_profile("nightly", max_examples=2000, deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))


@pytest.fixture
def plain() -> Callable[[Any], Callable[..., Any]]:
    """Give the plain Python form of a kernel, compiled or not."""
    return lambda kernel: getattr(kernel, "py_func", kernel)
