"""The values of a query, as the request's declaration has them."""

from types import SimpleNamespace

import pytest
from starlette.requests import Request

from windrow.domain.archive import ExportRequest
from windrow.domain.errors import InvalidParameter, InvalidRequest
from windrow.domain.inspection import InspectRequest
from windrow.domain.listing import ListRequest
from windrow.http.parameters import read_flag, read_parameters, read_query
from windrow.settings import Settings


def request(query: bytes) -> Request:
    """Return a request with a query."""
    app = SimpleNamespace(state=SimpleNamespace(context=SimpleNamespace(settings=Settings())))
    return Request({"type": "http", "query_string": query, "headers": [], "app": app})


def test_a_query_is_read_by_name_and_decoded() -> None:
    assert read_query(request(b"tag=a%20b&%6Cimit=3"), ("tag", "limit")) == {"tag": ("a b",), "limit": ("3",)}
    assert read_query(request(b""), ()) == {}


@pytest.mark.parametrize(
    ("query", "known", "said"),
    [
        (b"colour=red", ("tag", "limit"), "colour is no parameter of this request; known are limit, tag. /docs"),
        (b"lmit=3", ("tag", "limit"), "lmit is no parameter of this request; did you mean limit? /docs"),
        (b"limit=3&lmit=3", ("tag", "limit"), "lmit is no parameter of this request; known are limit, tag. /docs"),
        (b"a", (), "a is no parameter of this request; it takes none. /docs"),
        (b"tag=a&%74ag=b", ("tag",), "tag stands twice in the query. "),
    ],
)
def test_what_is_unknown_or_stands_twice_is_refused(query: bytes, known: tuple[str, ...], said: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_query(request(query), known)
    assert caught.value.detail.startswith(said)


def test_each_value_has_the_type_of_its_field() -> None:
    texts = {"limit": ("-3",), "deleted": ("1",), "full": ("false",), "tag": ("true",), "cursor": ("5",)}
    read = {"limit": -3, "deleted": True, "full": False, "tag": "true", "cursor": "5"}
    assert read_parameters(ListRequest, texts) == read
    assert read_parameters(ExportRequest, {"model_name": ("7",), "include_training_data": ("0",)}) == {
        "model_name": "7",
        "include_training_data": False,
    }


@pytest.mark.parametrize("text", ["", "ten", "1.5", " 5", "+5", "0x5", "--5", "\uff15", "1_000", "9" * 10, "9" * 5_000])
def test_a_number_is_written_in_digits(text: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        read_parameters(ListRequest, {"limit": (text,)})
    assert caught.value.detail.startswith("limit is no whole number between 1 and 1000.")
    assert caught.value.facts == {"parameter": "limit", "minimum": 1, "maximum": 1_000}


@pytest.mark.parametrize("text", ["", "yes", "True", "on", "2", " true"])
def test_a_flag_is_true_or_false_and_the_hint_is_what_it_is_not_already(text: str) -> None:
    for default, hint in ((False, "wait=True"), (True, "wait=False")):
        with pytest.raises(InvalidParameter, match=hint):
            read_flag("wait", text, default=default)
        assert read_flag("wait", None, default=default) is default


def test_a_parameter_that_holds_several_may_stand_there_several_times() -> None:
    sent = request(b"text_column=a&text_column=b%2Cc&header=0")
    query = read_query(sent, ("text_column", "header"), ("text_column",))
    assert query == {"text_column": ("a", "b,c"), "header": ("0",)}
    assert read_parameters(InspectRequest, query) == {"text_column": ("a", "b,c"), "header": False}
