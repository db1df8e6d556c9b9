import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpmcore.domain.errors import InvalidArgument
from rpmcore.domain.plain import to_plain
from rpmcore.risk.covariance import sample_covariance, stressed_covariance
from rpmcore.risk.factor_model import FactorModel, estimate_factor_model, model_covariance
from rpmcore.risk.stress.conditional import conditional_factor_stress, conditional_stress
from tests.oracles import conditional as oracle
from tests.samples import correlated_returns, weights_for

NAMES = ("A", "B", "C", "D", "E")
RETURNS = correlated_returns(300, 5)
COV = sample_covariance(RETURNS)
WEIGHTS = np.array([0.5, -0.3, 0.8, 0.0, -1.1])


def model(n_assets=6, n_factors=3, seed=0):
    rng = np.random.default_rng(seed)
    return FactorModel(
        symbols=tuple(f"S{i}" for i in range(n_assets)),
        factor_names=tuple(f"F{k}" for k in range(n_factors)),
        exposures=rng.normal(size=(n_assets, n_factors)),
        factor_covariance=sample_covariance(correlated_returns(100, n_factors, seed)),
        specific_variances=rng.uniform(0.0, 1e-4, n_assets),
    )


@pytest.mark.parametrize("shocks", [{"B": -0.1}, {"E": 0.02, "A": -0.2}, {"D": -0.05, "B": 0.0, "C": 0.1, "A": -0.01}])
def test_it_is_the_regression_on_what_is_shocked(shocks):
    found = conditional_stress(WEIGHTS, COV, shocks, NAMES)
    places = [NAMES.index(name) for name in shocks]
    s = np.array(list(shocks.values()))
    expected, residual, whole = oracle.regressed(RETURNS, WEIGHTS, places, s)
    np.testing.assert_allclose(found.returns, expected, rtol=1e-9, atol=1e-14)
    assert found.residual_volatility == pytest.approx(residual, rel=1e-9)
    assert found.volatility == pytest.approx(whole, rel=1e-12)
    assert found.loss == pytest.approx(-WEIGHTS @ expected, rel=1e-9)
    assert found.losses.sum() == pytest.approx(found.loss, rel=1e-12)
    assert found.distance == pytest.approx(oracle.mahalanobis(s, COV[np.ix_(places, places)]), rel=1e-9)
    for name, shock in shocks.items():
        assert found.returns[NAMES.index(name)] == shock


def test_two_assets_by_hand():
    cov = np.array([[4.0, 1.2], [1.2, 1.0]]) * 1e-4  # volatilities 2 % and 1 %, correlation 0.6
    found = conditional_stress([0.0, 1.0], cov, {"A": -0.04}, ("A", "B"))
    assert found.loss == pytest.approx(0.6 * 0.5 * 0.04)
    assert found.residual_volatility == pytest.approx(0.01 * 0.8)
    assert found.distance == pytest.approx(2.0)


@given(weights_for(5), st.data())
def test_with_everything_shocked_nothing_is_left_to_chance(weights, data):
    s = data.draw(weights_for(5)) / 10
    found = conditional_stress(weights, COV, dict(zip(NAMES, s.tolist(), strict=True)), NAMES)
    assert found.loss == pytest.approx(-weights @ s, abs=1e-12)
    assert found.residual_volatility == 0.0


@given(weights_for(5), st.sets(st.integers(0, 4), min_size=1, max_size=4), st.data())
def test_it_is_linear_in_the_shock_and_knowledge_never_adds_risk(weights, shocked, data):
    places = sorted(shocked)
    one, two = (data.draw(weights_for(len(places))) / 10 for _ in range(2))
    shock = lambda s: dict(zip([NAMES[i] for i in places], s.tolist(), strict=True))  # noqa: E731
    first, second, both = (conditional_stress(weights, COV, shock(s), NAMES) for s in (one, two, 2.0 * one - two))
    assert both.loss == pytest.approx(2.0 * first.loss - second.loss, abs=1e-10)
    assert first.residual_volatility == second.residual_volatility <= first.volatility * (1 + 1e-12)
    more = conditional_stress(weights, COV, {**shock(one), NAMES[(places[0] + 1) % 5]: 0.0}, NAMES)
    assert more.residual_volatility <= first.residual_volatility * (1 + 1e-9) + 1e-12


@given(st.permutations(range(5)), st.floats(0.1, 10.0))
def test_neither_order_nor_unit_matters(order, factor):
    shocks = {"B": -0.1, "E": 0.05}
    found = conditional_stress(WEIGHTS, COV, shocks, NAMES)
    names = tuple(NAMES[i] for i in order)
    other = conditional_stress(
        WEIGHTS[order], COV[np.ix_(order, order)] * factor, dict(reversed(shocks.items())), names
    )
    np.testing.assert_allclose(other.returns, found.returns[order], rtol=1e-9, atol=1e-15)
    assert other.residual_volatility == pytest.approx(found.residual_volatility * np.sqrt(factor), rel=1e-9)


def test_under_correlations_drawn_to_one_everything_follows():
    cov = stressed_covariance(COV, 1.0, 1.0)
    deviations = np.sqrt(np.diagonal(COV))
    found = conditional_stress(WEIGHTS, cov, {"C": -0.1}, NAMES)
    np.testing.assert_allclose(found.returns, -0.1 * deviations / deviations[2], rtol=1e-12)
    assert found.residual_volatility == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    ("shocks", "words"),
    [
        ({}, ["at least one instrument"]),
        ({"a": 0.1}, ["no instrument 'a'", "did you mean 'A'?"]),
        ({"Z": 0.1}, ["no instrument 'Z'", "known are A, B"]),
        ({"A": np.nan}, ["'A' must be finite", "nan"]),
        ({"F": 0.0, "A": 0.1}, ["F: nothing can follow", "instruments without variance"]),
        ({"A": -0.1, "C": 0.1, "G": 0.1}, ["A, G", "determine each other", "leave nothing of", "leave one out"]),
        ({"A": -0.1, "H": -0.1}, ["A, H", "determine each other"]),
    ],
)
def test_what_cannot_be_shocked_is_named(shocks, words):
    returns = np.column_stack([RETURNS, np.zeros(300), 2.0 * RETURNS[:, 0], RETURNS[:, 0] + 1e-3 * RETURNS[:, 1]])
    names = (*NAMES, "F", "G", "H")
    with pytest.raises(InvalidArgument) as raised:
        conditional_stress(np.ones(8), sample_covariance(returns), shocks, names)
    for word in words:
        assert word in str(raised.value)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([1.0], COV, {"A": 0.1}, NAMES), "1 exposure(s)"),
        ((WEIGHTS, COV, {"A": 0.1}, ("A", "A", "B", "C", "D")), "must differ"),
        ((WEIGHTS * 1e200, COV, {"A": 0.1}, NAMES), "overflow when multiplied"),
        ((WEIGHTS * np.nan, COV, {"A": 0.1}, NAMES), "must be finite"),
        (([1.0, -1.0], [[1.0, 2.0], [2.0, 1.0]], {"A": 0.1, "B": 0.1}, ("A", "B")), "not positive semidefinite"),
        (([1.0, -1.0], [[1.0, 2.0], [2.0, 1.0]], {"A": 0.1}, ("A", "B")), "not positive semidefinite"),
    ],
)
def test_misuse(arguments, words):
    with pytest.raises(InvalidArgument) as raised:
        conditional_stress(*arguments)
    assert words in str(raised.value)


def test_factors_are_the_same_as_instruments_of_their_own():
    """A factor model is a covariance over assets and factors together, in which factors can be shocked as assets."""
    found, known = model(), {"F1": -0.03, "F2": 0.01}
    b, f = found.exposures, found.factor_covariance
    joint = np.block([[model_covariance(found), b @ f], [f @ b.T, f]])
    weights = np.array([0.5, -0.3, 0.8, 0.0, -1.1, 0.2])
    whole = conditional_stress(np.append(weights, np.zeros(3)), joint, known, (*found.symbols, *found.factor_names))
    by_factor = conditional_factor_stress(weights, found, known)
    np.testing.assert_allclose(by_factor.returns, whole.returns[:6], rtol=1e-10)
    np.testing.assert_allclose(by_factor.factor_returns, whole.returns[6:], rtol=1e-10)
    assert list(by_factor.factor_returns[1:]) == [-0.03, 0.01]
    for name in ("loss", "residual_volatility", "volatility", "distance"):
        assert getattr(by_factor, name) == pytest.approx(getattr(whole, name), rel=1e-10)
    parts = by_factor.factor_residual_volatility, by_factor.specific_volatility
    assert np.hypot(*parts) == pytest.approx(by_factor.residual_volatility)
    assert parts[1] == pytest.approx(np.sqrt(weights**2 @ found.specific_variances))


@given(weights_for(6), weights_for(3))
def test_with_every_factor_shocked_only_what_is_specific_is_left(weights, s):
    found = model()
    stressed = conditional_factor_stress(weights, found, dict(zip(found.factor_names, s.tolist(), strict=True)))
    assert stressed.loss == pytest.approx(-weights @ found.exposures @ s, abs=1e-10)
    assert stressed.factor_residual_volatility == 0.0


@given(st.integers(0, 50), st.sampled_from([-0.2, -0.01, 0.1]))
def test_a_market_shock_is_beta_times_the_market(seed, shock):
    rng = np.random.default_rng(seed)
    market = rng.normal(0, 0.01, (80, 1))
    betas = np.array([0.5, 1.0, 1.7])
    found = estimate_factor_model(
        market * betas + rng.normal(0, 1e-3, (80, 3)), market, symbols=("A", "B", "C"), factor_names=("market",)
    )
    stressed = conditional_factor_stress([0.2, 0.3, 0.5], found, {"market": shock})
    np.testing.assert_allclose(stressed.returns, shock * found.exposures[:, 0], rtol=1e-12)
    np.testing.assert_allclose(stressed.returns, shock * betas, rtol=0.15)


def test_factor_misuse_and_plain_results():
    with pytest.raises(InvalidArgument, match="no factor 'f1' to shock; did you mean 'F1'"):
        conditional_factor_stress(np.ones(6), model(), {"f1": 0.1})
    with pytest.raises(InvalidArgument, match=r"2 element\(s\), but the model has 6"):
        conditional_factor_stress(np.ones(2), model(), {"F1": 0.1})
    assert len(to_plain(conditional_factor_stress(np.zeros(6), model(), {"F1": 0.1}))["returns"]) == 6
    assert to_plain(conditional_stress(WEIGHTS, COV, {"A": -0.1}, NAMES))["shocks"] == {"A": -0.1}
