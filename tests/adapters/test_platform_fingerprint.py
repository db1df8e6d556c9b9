"""What the last digits of a number can depend on."""

import platform

import numpy

from rpmcore.adapters.platform_fingerprint import differences, platform_fingerprint


def test_it_names_processor_system_and_versions_as_text():
    found = platform_fingerprint()
    assert found["numpy"] == numpy.__version__
    assert found["machine"] == platform.machine()
    assert {"rpmcore", "numba", "llvmlite", "scipy", "python", "blas", "libc", "cpu_features", "system"} < set(found)
    assert all(isinstance(value, str) for value in found.values())
    assert found["cpu_features"]
    found["numpy"] = "changed"
    assert platform_fingerprint()["numpy"] == numpy.__version__


def test_differences_are_told_in_words():
    here = {"numpy": "2.4", "system": "Linux"}
    assert differences(here, dict(here)) == ()
    assert differences({"numpy": "2.3", "extra": "x"}, here) == (
        "extra: x then, unknown now", "numpy: 2.3 then, 2.4 now", "system: unknown then, Linux now",
    )  # fmt: skip
