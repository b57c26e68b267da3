"""Server-sent events, however the stream is cut."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow.client.event_stream import MAX_LINE_BYTES, read_events

STREAM = (
    b': hello\n\nevent: running\ndata: {"a": 1}\n\n: still here\n\ndata:{"b"\r\ndata: :2}\r\n\r\nid: 3\n\ndata: cut'
)


@given(st.lists(st.integers(0, len(STREAM)), max_size=9))
def test_each_event_is_told_whole_and_comments_are_not(cuts: list[int]) -> None:
    ends = sorted({0, *cuts, len(STREAM)})
    pieces = [STREAM[start:end] for start, end in itertools.pairwise(ends)]
    assert list(read_events(pieces)) == [b'{"a": 1}', b'{"b"\n:2}']


def test_a_stream_without_ends_of_lines_is_refused() -> None:
    with pytest.raises(ValueError, match="no end"):
        list(read_events([b"x" * MAX_LINE_BYTES, b"x"]))
