from dataclasses import replace

import pytest

from rpmcore.domain.crises import CrisisScenario
from rpmcore.domain.crisis_library import HistoricalCrisisLibrary
from rpmcore.domain.errors import ConfigurationError
from rpmcore.domain.reference import crises

LEHMAN = crises()["lehman2008"]


def test_the_shipped_crises_by_text_and_by_member():
    library = HistoricalCrisisLibrary()
    assert dict(library) == dict(crises())
    for scenario in CrisisScenario:
        assert library.get(scenario) is library[scenario.value] is crises()[scenario.value]
        assert scenario in library


def test_an_own_crisis_follows_or_takes_the_place_of_a_shipped_one():
    mine = replace(LEHMAN, name="mine")
    worse = replace(LEHMAN, market_shock=-0.2)
    library = HistoricalCrisisLibrary([mine, worse])
    assert list(library) == [*crises(), "mine"]
    assert library["lehman2008"].market_shock == -0.2
    assert library.get("mine") is mine
    assert HistoricalCrisisLibrary()["lehman2008"].market_shock == -0.1


@pytest.mark.parametrize(
    ("name", "told"),
    [("lehmann2008", "did you mean 'lehman2008'?"), ("Brexit2016", "'brexit2016'"), ("zzz", "known are lehman2008, ")],
)
def test_an_unknown_name_is_an_error_with_the_nearest(name, told):
    library = HistoricalCrisisLibrary()
    assert name not in library
    assert library.get(name, None) is None
    for ask in (library.get, library.__getitem__):
        with pytest.raises(ConfigurationError) as raised:
            ask(name)
        assert f"there is no scenario {name!r}; " in str(raised.value)
        assert told in str(raised.value)


def test_two_own_crises_of_one_name_are_refused():
    with pytest.raises(ConfigurationError, match="two scenarios have the name 'lehman2008'"):
        HistoricalCrisisLibrary([LEHMAN, LEHMAN])
