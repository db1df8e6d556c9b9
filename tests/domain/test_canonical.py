import hashlib
import json
import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpmcore.domain.canonical import canonical_bytes, digest, parse
from rpmcore.domain.errors import InvalidArgument, RpmError

plain_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def bits(value):
    """Tell values apart that compare equal: 1, 1.0 and True, or 0.0 and -0.0."""
    if isinstance(value, float):
        return struct.pack(">d", value)
    if isinstance(value, list):
        return [bits(item) for item in value]
    if isinstance(value, dict):
        return {key: bits(item) for key, item in value.items()}
    return type(value).__name__, value


def shuffled(value, draw):
    if isinstance(value, list):
        return [shuffled(item, draw) for item in value]
    if isinstance(value, dict):
        return {key: shuffled(value[key], draw) for key in draw(st.permutations(sorted(value)))}
    return value


def test_bytes_as_documented():
    value = {"ß": 1, "b": [1.0, 0.1, 1e-07, -0.0, True, None], "a": {"z": "é\n\u2028", "y": 10**20}}
    assert canonical_bytes(value) == (
        '{"a":{"y":100000000000000000000,"z":"é\\n\u2028"},"b":[1.0,0.1,1e-07,-0.0,true,null],"ß":1}'.encode()
    )


@given(plain_values)
def test_bytes_come_back_as_the_value_and_the_value_as_the_bytes(value):
    raw = canonical_bytes(value)
    assert bits(parse(raw)) == bits(value)
    assert canonical_bytes(parse(raw)) == raw


@given(plain_values, st.data())
def test_the_order_of_keys_leaves_no_trace(value, data):
    assert canonical_bytes(shuffled(value, data.draw)) == canonical_bytes(value)


@given(plain_values)
def test_any_reader_of_json_understands_it(value):
    assert json.loads(canonical_bytes(value)) == value


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, [{"a": -math.inf}], {1: 2}, {None: 1}, [{True: 1}], {"a": {1}}, "\ud800", b"x"]
)
def test_what_has_no_canonical_bytes_is_refused(value):
    with pytest.raises(InvalidArgument, match="canonical JSON"):
        canonical_bytes(value)


def test_a_value_that_holds_itself_is_refused():
    value = []
    value.append(value)
    with pytest.raises(RpmError, match="too deeply"):
        canonical_bytes(value)


@pytest.mark.parametrize(
    "raw",
    [b"NaN", b"[Infinity]", b'{"a":-Infinity}', b"1e999", b'{"a":1,"a":1}', b'[{"b":{"a":1,"a":2}}]', b"", b"{", b"1 2",
     b"\xef\xbb\xbf1", b"\xff", b"{'a':1}", b"[" * 100_000, b"1" * 5000],
)  # fmt: skip
def test_what_is_no_strict_json_is_refused(raw):
    with pytest.raises(InvalidArgument, match="JSON"):
        parse(raw)


def test_digest_is_sha256():
    assert digest(b"abc") == hashlib.sha256(b"abc").hexdigest()
    assert digest(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
