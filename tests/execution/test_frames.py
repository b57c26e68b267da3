"""Frames survive the pipe, whatever they carry, and a torn one is noticed."""

import io
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow.execution.frames import Frame, read_frame, write_frame

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
).filter(lambda value: "\\ud" not in ascii(value))


@given(st.dictionaries(st.text("abc", min_size=1), values, max_size=3), st.integers(0, 5))
def test_a_frame_reads_back_as_it_was_written(fields: dict[str, object], rows: int) -> None:
    tensors: dict[str, npt.NDArray[Any]] = {
        "x": np.arange(rows * 3, dtype=np.float32).reshape(rows, 3),
        "y": np.arange(rows, dtype=np.int64),
    }
    stream = io.BytesIO()
    for carried in (tensors, {}):
        write_frame(stream, Frame("kind", fields, carried))
    stream.seek(0)
    first, second = read_frame(stream), read_frame(stream)
    assert first is not None and second is not None
    assert (first.kind, first.fields) == ("kind", fields)
    assert (second.fields, dict(second.tensors)) == (fields, {})
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(first.tensors[name], tensor)
    assert read_frame(stream) is None


@pytest.mark.parametrize("kept", [0, 1, 15, 16, 20, -1])
def test_a_torn_frame_reads_as_the_end(kept: int) -> None:
    stream = io.BytesIO()
    write_frame(stream, Frame("kind", {"a": 1}, {"x": np.ones(3, dtype=np.float32)}))
    assert read_frame(io.BytesIO(stream.getvalue()[:kept])) is None
