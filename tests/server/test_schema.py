"""Schemathesis asks everything that the description allows, and much that it does not, and finds nothing."""

from collections import Counter

import hypothesis
import pytest
import schemathesis
from schemathesis import GenerationMode

from tests.server.conftest import served

EXAMPLES = 34
"""Of each path, as described and not as described; a path without a body or a parameter has one."""
APART = ("/v1/events", "/health/ready")
"""One never ends, and one says 503 where a case made the gate halt."""


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    with served(tmp_path_factory.mktemp("api")) as found:
        yield found


def test_a_thousand_cases_find_nothing(desk):
    ran = Counter()
    api = schemathesis.openapi.from_url(f"{desk.client.base_url}/openapi.json", headers=desk.bearer("all"))
    for path, methods in api.items():
        for method in methods if path not in APART else ():
            operation = api[path][method]
            modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE) if method.upper() == "POST" else (None,)
            for mode in modes:
                _run(operation, mode, desk.bearer("all"), ran)
    assert not desk.service.desk.fault
    assert desk.get("/v1/state").status_code == 200
    posts = {label: number for label, number in ran.items() if label.startswith("POST")}
    assert len(posts) == 18
    assert sum(ran.values()) >= 1000, ran


def _run(operation, mode, headers, ran):
    chosen = {} if mode is None else {"generation_mode": mode}

    @hypothesis.seed(20080915)
    @hypothesis.settings(
        max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.generate],
    )  # fmt: skip
    @hypothesis.given(case=operation.as_strategy(**chosen))
    def asked(case):
        ran[operation.label] += 1
        case.call_and_validate(headers=headers)

    asked()
