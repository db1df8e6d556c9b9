import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpmcore.domain import reference
from rpmcore.domain.errors import ConfigurationError, InvalidArgument
from rpmcore.risk.stress.synthetic import KINDS, SyntheticStressGenerator
from tests.oracles.philox import words
from tests.oracles.simulation import uniform

DRAWS = SyntheticStressGenerator(7).scenarios(1000)

RANGES = {
    "liquidity_freeze": {"spread_multiplier": (15, 30), "volume_reduction": (0.80, 0.90), "duration_days": (1, 10)},
    "correlation_breakdown": {"correlation": (0.95, 1.0), "duration_days": (1, 10)},
    "flash_crash": {
        "volatility_multiplier": (8, 12),
        "spread_multiplier": (20, 40),
        "volume_reduction": (0.90, 0.98),
        "duration_days": (1, 1),
    },
    "regime_transition": {"duration_days": (20, 60)},
}
NUMBERS = ("market_shock", "volatility_multiplier", "correlation", "spread_multiplier", "volume_reduction")
KNOWN = {
    name: [getattr(c, name) for c in reference.crises().values() if getattr(c, name) is not None] for name in NUMBERS
}
LIBRARY = {name: (min(values), max(values)) for name, values in KNOWN.items()}


def plain(scenario):
    return {f.name: np.asarray(getattr(scenario, f.name)).tobytes() for f in dataclasses.fields(scenario)}


@pytest.mark.parametrize("kind", KINDS)
def test_a_thousand_draws_stay_within_the_ranges_and_fill_them(kind):
    drawn = [s for s in DRAWS if s.kind == kind]
    assert len(drawn) == 250
    for name, (low, high) in {**LIBRARY, **RANGES[kind]}.items():
        stressed = np.array([np.ravel(getattr(s, name))[-1] for s in drawn], dtype=float)
        assert low <= stressed.min(), name
        assert stressed.max() <= high, name
        if low < high:
            assert stressed.min() < low + 0.1 * (high - low), name
            assert stressed.max() > high - 0.1 * (high - low), name


def test_a_transition_moves_smoothly_from_calm_to_stressed_and_the_others_jump():
    for scenario in DRAWS[:200]:
        moving = scenario.transition
        assert moving.shape == scenario.volatility_multiplier.shape == (scenario.duration_days,)
        assert moving[-1] == 1.0
        if scenario.kind != "regime_transition":
            assert (moving == 1.0).all()
            continue
        steps = np.diff(moving, prepend=0.0)
        assert (steps > 0).all()
        assert steps.max() < 1.6 / scenario.duration_days
        assert steps[0] < 0.5 * steps.max()
        for name in ("volatility_multiplier", "spread_multiplier"):
            multiplier = getattr(scenario, name)
            assert (np.diff(multiplier) >= 0).all()
            assert multiplier[0] < 1.0 + 0.02 * multiplier[-1]


@given(st.integers(0, 2**64 - 1), st.integers(0, 999_999), st.sampled_from(KINDS))
def test_the_same_seed_gives_the_same_bits(seed, number, kind):
    assert plain(SyntheticStressGenerator(seed).generate(kind, number)) == plain(
        SyntheticStressGenerator(seed).generate(kind, number)
    )


def test_a_scenario_depends_neither_on_how_many_are_drawn_nor_on_the_others():
    generator = SyntheticStressGenerator(7)
    for few, many in zip(generator.scenarios(9), DRAWS, strict=False):
        assert plain(few) == plain(many)
    assert plain(generator.generate(DRAWS[5].kind, 5)) == plain(DRAWS[5])
    assert plain(SyntheticStressGenerator(8).generate(DRAWS[5].kind, 5)) != plain(DRAWS[5])


def test_the_draws_are_those_of_philox():
    (scenario,) = SyntheticStressGenerator(2**40 + 1).scenarios(1, ["flash_crash"])
    low, high = words(0, 0, 3, 2**40 + 1)
    worst, mildest = LIBRARY["market_shock"]
    assert scenario.market_shock == pytest.approx(worst + uniform(low) * (mildest - worst), rel=1e-14)
    assert scenario.volatility_multiplier[0] == pytest.approx(8 + uniform(high) * 4, rel=1e-14)


def test_what_cannot_be_drawn_is_refused():
    generator = SyntheticStressGenerator(1)
    with pytest.raises(ConfigurationError, match="did you mean 'flash_crash'"):
        generator.generate("flashcrash", 0)
    for n in (0, -3, 2.5, True):
        with pytest.raises(InvalidArgument, match="n must be a whole number"):
            generator.scenarios(n)
    with pytest.raises(InvalidArgument, match="number"):
        generator.generate("flash_crash", -1)
    with pytest.raises(InvalidArgument, match="seed"):
        SyntheticStressGenerator(-1)
    with pytest.raises(InvalidArgument, match="kinds is empty"):
        generator.scenarios(3, [])
    with pytest.raises(InvalidArgument, match="no crisis"):
        SyntheticStressGenerator(1, {})
