"""What the last digits of a number can depend on: processor, system and the versions of what computes."""

import platform
from functools import cache
from importlib.metadata import version

import numpy as np

_LIBRARIES = ("rpmcore", "numba", "llvmlite", "numpy", "scipy")


@cache
def _fingerprint() -> tuple[tuple[str, str], ...]:
    config = np.show_config(mode="dicts")
    extensions = config["SIMD Extensions"]
    features = sorted({*extensions.get("baseline", ()), *extensions.get("found", ())})
    blas = config["Build Dependencies"]["blas"]
    found = {
        "system": platform.system(),
        "machine": platform.machine(),
        "cpu_features": " ".join(features),
        "libc": " ".join(platform.libc_ver()).strip(),
        "python": platform.python_version(),
        "blas": f"{blas.get('name', '')} {blas.get('version', '')}".strip(),
        **{name: version(name) for name in _LIBRARIES},
    }
    return tuple(sorted(found.items()))


def platform_fingerprint() -> dict[str, str]:
    """Return what the last digits of results depend on, by name: where all of it is the same, bits are.

    It tells the instruction sets that NumPy dispatches on, not the model of the processor: two that have the same ones
    run the same code. Where numbers agree but for their last digits although this is the same, the difference is real.
    """
    return dict(_fingerprint())


def differences(recorded: dict[str, str], here: dict[str, str]) -> tuple[str, ...]:
    """Return in what two fingerprints differ, in words."""
    names = sorted({*recorded, *here})
    return tuple(
        f"{name}: {recorded.get(name, 'unknown')} then, {here.get(name, 'unknown')} now"
        for name in names
        if recorded.get(name) != here.get(name)
    )
