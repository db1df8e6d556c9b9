from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rpmcore.kernels import summation

FORMS = [lambda kernel: kernel, lambda kernel: getattr(kernel, "py_func", kernel)]


@pytest.mark.parametrize("form", FORMS, ids=["compiled", "plain"])
@given(hnp.arrays(np.float64, st.integers(0, 300), elements=st.floats(-1e300, 1e300)))
def test_the_sum_is_exact_to_rounding(form, values):
    exact = float(sum((Fraction(float(v)) for v in values), Fraction(0)))
    scale = float(np.abs(values).max(initial=0.0))
    assert form(summation.sum_in_any_order)(values) == pytest.approx(exact, abs=max(1e-13 * scale, 1e-300), rel=1e-13)
    # 300 additions, each to half a unit in the last place of at most the sum of all magnitudes.
    assert form(summation.sum_in_this_order)(values) == pytest.approx(exact, abs=300 * 300 * 2e-16 * scale, rel=0)
    assert form(summation.largest_magnitude)(values) == scale


@given(hnp.arrays(np.float64, st.integers(1, 300), elements=st.floats(-1e6, 1e6)), st.randoms(use_true_random=False))
def test_order_does_not_change_a_bit(values, random):
    shuffled = list(values)
    random.shuffle(shuffled)
    assert summation.sum_in_any_order(values) == summation.sum_in_any_order(np.array(shuffled))
