"""Bodies in one step: every body means the same, whether it is read in slices or as a whole."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windrow.codec import request_parsing
from windrow.codec.request_parsing import read_request
from windrow.codec.strict import parse_json
from windrow.codec.validation import read_value
from windrow.codec.values import adapter_of
from windrow.domain.alias import PromoteRequest
from windrow.domain.classifier import FitRequest
from windrow.domain.dataset import DataLimits
from windrow.domain.errors import InvalidJson, InvalidRequest, LimitExceeded, WindrowError
from windrow.domain.multi_label import MultiLabelRow
from windrow.domain.prediction import PredictRequest
from windrow.domain.suggestion import SuggestRequest

LIMITS = DataLimits(max_rows=50)
TEXTS = st.text() | st.sampled_from(["\\", '"', '\\"', "]", "}", ",", "\ud800", "für", "😀", "\x00", "\n", "[{}]"])
ROWS: st.SearchStrategy[object] = st.fixed_dictionaries({"text": TEXTS, "label": TEXTS}) | st.sampled_from(
    [
        {"label": "a", "text": "b"},
        {"text": "a"},
        {"text": 1, "label": "b"},
        {},
        [],
        "a",
        None,
        {"text": "a", "label": "b", "c": []},
        {"text": "a", "label": ["b"]},
        {"text": "a", "label": ["b", "c"]},
        {"text": "a", "label": "b", "labels": []},
    ]
)
MULTI_LABEL_ROWS: st.SearchStrategy[object] = st.fixed_dictionaries(
    {"text": TEXTS, "labels": st.lists(TEXTS, max_size=3)}
) | st.sampled_from(
    [{"labels": ["a"], "text": "b"}, {"labels": []}, {"text": "a", "labels": "b"}, {"text": "a", "labels": [1, None]}]
)
ROW_LISTS = st.lists(ROWS, max_size=60) | st.lists(MULTI_LABEL_ROWS, max_size=60)
MEMBERS = st.fixed_dictionaries(
    {},
    optional={
        "model_name": TEXTS,
        "training_data": ROW_LISTS | st.lists(ROWS | MULTI_LABEL_ROWS, max_size=60),
        "texts": st.lists(TEXTS | st.integers(), max_size=60),
        "must_pass": st.lists(ROWS, max_size=3),
        "require": st.fixed_dictionaries(
            {},
            optional={
                "test_data": st.lists(ROWS, max_size=60),
                "min_recall": st.dictionaries(TEXTS, st.floats(0, 1)),
                "not_worse": st.booleans(),
            },
        ),
        "tags": st.lists(TEXTS),
        "seed": st.integers() | TEXTS,
        "unknown": st.recursive(st.none(), lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner)),
    },
)
INDENTS = st.sampled_from([None, 1, 0, "\t"])


def outcome(read: Any) -> object:
    """Return what came of reading: the value, or the error's class, words and facts."""
    try:
        return read()
    except WindrowError as error:
        return type(error), error.detail, error.facts


@pytest.fixture(autouse=True)
def _cut_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_parsing, "_LARGE_BYTES", 0)
    monkeypatch.setattr(request_parsing, "_SLICE_ITEMS", 20)


@pytest.mark.slow
@settings(max_examples=300)
@given(members=MEMBERS, indent=INDENTS, is_ascii=st.booleans(), cut=st.integers(0, 30), junk=st.binary(max_size=3))
def test_every_body_means_the_same_in_slices_and_as_a_whole(
    members: dict[str, object], indent: Any, is_ascii: bool, cut: int, junk: bytes
) -> None:
    body = json.dumps(members, indent=indent, ensure_ascii=is_ascii).encode(errors="surrogatepass")
    spoilt = body[:-cut] + junk if cut else body
    for kind in (FitRequest, SuggestRequest, PromoteRequest):
        given_fields = {"alias": "a"} if kind is PromoteRequest else None
        for sent in (body, spoilt):

            def whole(kind: Any = kind, sent: bytes = sent, given: Any = given_fields) -> object:
                return read_value(kind, parse_json(sent), preset=given, limits=LIMITS)

            def sliced(kind: Any = kind, sent: bytes = sent, given: Any = given_fields) -> object:
                return read_request(kind, sent, preset=given, limits=LIMITS)

            assert outcome(sliced) == outcome(whole)


def test_rows_are_cut_into_slices_and_stay_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    slices: list[int] = []
    real = adapter_of

    class Watched:
        def __init__(self, kind: Any) -> None:
            self._adapter = real(kind)

        def validate_json(self, data: bytes, **more: Any) -> Any:
            slices.append(len(json.loads(data)))
            return self._adapter.validate_json(data, **more)

    monkeypatch.setattr(request_parsing, "adapter_of", Watched)
    rows = [{"label": f"b{number}", "text": f"a{number}"} for number in range(100)]
    read = read_request(FitRequest, json.dumps({"model_name": "a", "training_data": rows}).encode())
    assert [row.text for row in read.training_data] == [row["text"] for row in rows]
    assert sum(slices) == 100
    assert max(slices) <= 32
    texts = tuple(f"text {number}, [and] {{more}}" for number in range(100))
    body = json.dumps({"model_name": "a", "texts": texts}).encode()
    assert read_request(PredictRequest, body).texts == texts


@pytest.mark.parametrize(
    "body",
    [
        b'{"model_name": "a", "training_data": [{"text": "a", "label": "b", "label": "c"}]}',
        b'{"model_name": "a", "training_data": [{"text": "a", "label": "b"}], "training_data": []}',
        b'{"model_name": "a", "model_name": "a", "training_data": [{"text": "a", "label": "b"}]}',
        b'{"model_name": "a", "training_data": [{"text": "a", "te\\u0078t": "b"}]}',
    ],
)
def test_a_key_that_stands_twice_is_refused_also_in_slices(body: bytes) -> None:
    with pytest.raises(InvalidJson, match="twice"):
        read_request(FitRequest, body)


def test_rows_with_labels_are_cut_into_slices_too(monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[dict[str, Any]] = [
        {"text": f'say "{number}"', "labels": [f"b{each}" for each in range(number % 3)]} for number in range(100)
    ]
    monkeypatch.setattr(request_parsing, "_parse", _only_around_the_lists(request_parsing._parse))
    for members in (rows, [dict(reversed(each.items())) for each in rows]):
        read = read_request(FitRequest, json.dumps({"model_name": "a", "training_data": members}).encode())
        assert read.training_data == tuple(MultiLabelRow(each["text"], tuple(each["labels"])) for each in rows)


def test_rows_may_have_as_many_labels_as_documented_and_are_read_in_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_parsing, "_parse", _only_around_the_lists(request_parsing._parse))
    monkeypatch.setattr(request_parsing, "_MOST_OTHER_VALUES", 0)
    rows: list[dict[str, Any]] = [
        {"text": f"a{number}", "labels": [f"b{each}" for each in range(30)]} for number in range(50)
    ]
    read = read_request(FitRequest, json.dumps({"model_name": "a", "training_data": rows}).encode(), limits=LIMITS)
    assert read.training_data == tuple(MultiLabelRow(each["text"], tuple(each["labels"])) for each in rows)


def test_many_labels_of_which_more_differ_than_a_request_may_have_are_refused_before_all_are_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limits = DataLimits(max_rows=50, max_labels=40)
    monkeypatch.setattr(request_parsing, "_MOST_OTHER_VALUES", 0)
    rows: list[dict[str, Any]] = [
        {"text": "a", "labels": [f"b{number * 20 + each}" for each in range(20)]} for number in range(49)
    ]
    # That this label is none would show in a row that is read.
    body = json.dumps({"model_name": "a", "training_data": [*rows, {"text": "a", "labels": ["wrong"]}]})
    with pytest.raises(LimitExceeded, match="500 values"):
        read_request(FitRequest, body.replace("wrong", r"\x").encode(), limits=limits)


def _only_around_the_lists(parse: Any) -> Any:
    def parsed(body: bytes, limits: DataLimits | None) -> object:
        assert len(body) < 1_000, "the body was read as a whole"
        return parse(body, limits)

    return parsed


@pytest.mark.parametrize("labels", [{"label": "b"}, {"labels": ["b"]}])
def test_too_many_rows_are_counted_and_none_is_read(labels: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_parsing, "adapter_of", lambda kind: pytest.fail("a row was read"))
    rows = [{"text": "a", **labels}] * 51
    with pytest.raises(LimitExceeded, match="training_data has 51 rows"):
        read_request(FitRequest, json.dumps({"training_data": rows}).encode(), limits=LIMITS)


def test_what_is_wrong_is_told_in_the_place_of_the_whole_body() -> None:
    rows = [{"text": "a", "label": "b"}] * 40
    body = json.dumps({"training_data": [*rows, {"text": 1, "label": "b"}]}).encode()
    with pytest.raises(InvalidRequest) as caught:
        read_request(FitRequest, body)
    assert caught.value.facts["problems"] == ["model_name is missing", "training_data[40].text must be a string"]
    with pytest.raises(InvalidJson, match="line 3, column 2"):
        read_request(FitRequest, b'{"training_data": [{"text": "a", "label": "b"}],\n"seed": 1,\n }')
