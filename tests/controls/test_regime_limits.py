import pytest

from rpmcore.controls.adaptive_settings import AdaptiveSettings, RegimesSettings
from rpmcore.controls.regime_limits import REGIMES, RegimeAwareRiskLimits
from rpmcore.domain.errors import InvalidArgument
from rpmcore.domain.settings import changed
from tests.oracles.adaptive import PROFILES


@pytest.mark.parametrize("name", PROFILES)
def test_the_four_profiles_are_the_specifications(name):
    table = RegimeAwareRiskLimits()
    for spelling in (name, name.upper()):
        found = table.get_limits(spelling)
        assert (found.risk_per_trade, found.gross_exposure, found.leverage, found.correlation_stress) == PROFILES[name]


def test_a_tighter_regime_never_allows_more():
    table = [RegimeAwareRiskLimits().get_limits(name) for name in REGIMES]
    for name in ("risk_per_trade", "gross_exposure", "leverage"):
        values = [getattr(limits, name) for limits in table]
        assert values == sorted(values, reverse=True)
    assert [limits.correlation_stress for limits in table] == [0.0, 0.1, 0.3, 0.5]


@pytest.mark.parametrize("name", ["Trending", "stresed", "", None, 3, float("nan")])
def test_an_unknown_regime_is_an_error(name):
    with pytest.raises(InvalidArgument, match="no regime"):
        RegimeAwareRiskLimits().get_limits(name)


@pytest.mark.parametrize("multiplier", [1.0000001, -0.1, float("nan"), float("inf")])
def test_no_multiplier_loosens(multiplier):
    with pytest.raises(InvalidArgument):
        RegimeAwareRiskLimits().get_limits("ranging").times(multiplier)


@pytest.mark.parametrize(
    ("section", "change", "words"),
    [
        ("regimes", {"stressed": {"gross_exposure": 1.2}}, "stressed.gross_exposure must not exceed volatile"),
        ("regimes", {"trending": {"correlation_stress": 0.2}}, "ranging.correlation_stress must not be below"),
        ("regimes", {"volatile_until": 0.85}, "volatile_until must not exceed volatile_from"),
        ("regimes", {"stressed_from": 0.99}, "must not fall"),
        ("volatility", {"crisis_multiplier": 0.6}, "must not rise"),
        ("volatility", {"elevated_percentile": 0.96}, "must not fall"),
        ("volatility", {"minimum": 61}, "must not exceed window"),
    ],
)
def test_settings_that_would_loosen_in_stress_are_refused(section, change, words):
    with pytest.raises(ValueError, match=words):
        AdaptiveSettings.model_validate({section: change})


def test_one_number_of_a_profile_changes_alone():
    found = changed(RegimesSettings(), {"trending": {"gross_exposure": 1.8}})
    assert RegimeAwareRiskLimits(found).get_limits("trending").gross_exposure == 1.8
    assert RegimeAwareRiskLimits(found).get_limits("trending").risk_per_trade == 0.01
