# make check is what CI runs; see .ci/run for the clean room around it.
PYTHON ?= .venv/bin/python
BIN := $(dir $(PYTHON))

.PHONY: check format lint types contracts test nojit docs benchmarks nightly data generated

check: lint types contracts test docs

format:
	$(BIN)ruff format .
	$(BIN)ruff check --fix .

lint:
	$(BIN)ruff format --check .
	$(BIN)ruff check .

types:
	$(BIN)mypy

contracts:
	$(BIN)lint-imports

# A process for each core; a file of tests stays in one.
test:
	$(PYTHON) -m pytest -n auto --dist loadfile --benchmark-disable

# Kernels as plain Python, for coverage and for what the compiler might hide.
nojit:
	NUMBA_DISABLE_JIT=1 $(PYTHON) -m pytest tests/kernels

# Never with --quiet: it hides warnings before --strict can count them, and broken links pass.
docs:
	$(PYTHON) docs/generated.py --check
	NO_MKDOCS_2_WARNING=1 $(BIN)mkdocs build --strict

benchmarks:
	$(PYTHON) benchmarks/run.py

# Slow campaigns: every property 2,000 times, a gate killed 2,000 times, 200 streams stopped, 100,000 orders through a broker that fails, a minute of load.
nightly:
	HYPOTHESIS_PROFILE=nightly RPM_KILLS=2000 RPM_STOPS=200 RPM_SERVE_KILLS=50 RPM_SOAK_ORDERS=100000 \
		$(PYTHON) -m pytest -n auto --dist loadfile --benchmark-disable
	$(PYTHON) benchmarks/gate_figures.py --decisions 1000000
	$(PYTHON) benchmarks/serve_load.py

generated:
	$(PYTHON) docs/generated.py

data:
	$(PYTHON) data/build.py
