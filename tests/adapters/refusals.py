"""What the tests of bad input have in common: one error, and what its message says."""

import pytest

from rpmcore.adapters.tables.prices import open_prices
from rpmcore.domain.errors import InputError


def read_all(source):
    found = open_prices(source)
    return found.read(found.symbols)


def refusal(read, source, **options):
    with pytest.raises(InputError) as caught:
        read(source, **options)
    return str(caught.value)


def assert_says(message, path, parts):
    assert message.startswith(str(path))
    for part in parts:
        assert part in message
