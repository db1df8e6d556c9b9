"""The versions that were tested together; `constraints.txt` of the source states the rest."""

FIRST_PYTHON, LAST_PYTHON = (3, 11), (3, 13)
"""Lowest and highest release of Python that is supported."""

TESTED = {
    "numba": "0.68.1",
    "numpy": "2.4.6",
    "platformdirs": "4.14.7",
    "prometheus-client": "0.26.0",
    "pyarrow": "26.0.1",
    "pydantic": "2.14.3",
    "PyYAML": "6.0.3",
    "rich": "15.0.0",
    "scipy": "1.17.1",
    "structlog": "26.1.0",
    "typer": "0.29.2",
}

MODULES = {"prometheus-client": "prometheus_client", "PyYAML": "yaml"}
"""Names of modules that differ from their packages'."""
