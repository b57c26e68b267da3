import inspect
import pydoc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any, cast

import pytest

from windrow.api.endpoints import BY_VERB
from windrow.domain.classifier import DeleteRequest, Deletion, FitRequest
from windrow.domain.dataset import Row
from windrow.domain.errors import InvalidName, InvalidTrainingData
from windrow.domain.job import Progress, ignore_progress
from windrow.domain.prediction import PredictRequest
from windrow.operations import Operations
from windrow.session import keywords
from windrow.session.predicting import PredictOptions
from windrow.session.session import Session

# What the two call differently.
VERBS = {
    "models": "list_classifiers",
    "jobs": "list_jobs",
    "history": "alias_history",
    "import_file": "import_classifier",
}


class RecordingOperations:
    """Operations that take note of what they are asked, and give it back."""

    def __getattr__(self, verb: str) -> Any:
        return lambda *args, **kwargs: (verb, args, kwargs)


@pytest.fixture
def told() -> Any:
    return Session(cast(Operations, RecordingOperations()))


def derived() -> list[str]:
    return [name for name, each in vars(Session).items() if type(each).__name__ == "_Verb"]


def test_the_fields_of_a_request_are_arguments(told: Any) -> None:
    assert told.delete("a", purge=True) == ("delete", (DeleteRequest("a", purge=True),), {})
    assert told.models(tag="x")[0] == "list_classifiers"


def test_columns_become_rows_and_what_is_no_request_is_passed_on(told: Any) -> None:
    request = FitRequest("a", (Row("x", "y"),), seed=3)
    assert told.start_fit("a", ["x"], ["y"], seed=3) == ("start_fit", (request,), {})
    assert told.fit("a", [("x", "y")], seed=3) == ("fit", (request,), {})
    assert told.fit("a", labels=["y"], texts=["x"], on_progress=print, seed=3)[2] == {"on_progress": print}
    with pytest.raises(InvalidTrainingData, match=r"^training_data\[0\]\.label is missing"):
        told.estimate_fit("a", ["x"], [None])


def test_a_wrong_argument_is_refused_before_anything_is_asked(told: Any) -> None:
    with pytest.raises(TypeError, match=r"^delete_all\(\) .* 'prefx'\. Did you mean 'prefix'\?"):
        told.delete_all(prefx="a")
    with pytest.raises(TypeError, match="model_name"):
        told.delete()
    with pytest.raises(TypeError, match="too many positional"):
        told.delete("a", True)
    with pytest.raises(TypeError, match=r"^cross_validate\(\) .* 'overwrite'"):
        told.cross_validate([("a", "b")], overwrite=True)
    with pytest.raises(InvalidName, match="must be a string"):
        told.show(5)


@pytest.mark.parametrize("name", derived())
def test_each_field_of_a_request_can_be_said(name: str) -> None:
    """Also those of verbs whose arguments have a class of their own."""
    endpoint: Any = BY_VERB[VERBS.get(name, name)]
    said = set(inspect.signature(getattr(Session, name)).parameters) - {"self", "on_progress", "progress", "path"}
    if "labels" in said:
        said = said - {"texts", "labels"} | {
            "test_data" if name in ("evaluate", "report", "compare") else "training_data"
        }
    assert said == {each.name for each in fields(endpoint.request)}


@pytest.mark.parametrize("name", derived())
def test_defaults_are_those_of_the_request(name: str) -> None:
    endpoint: Any = BY_VERB[VERBS.get(name, name)]
    defaults = {each: value.default for each, value in inspect.signature(endpoint.request).parameters.items()}
    for each, parameter in inspect.signature(getattr(Session, name)).parameters.items():
        if each in defaults:
            assert parameter.default == defaults[each]


@pytest.mark.parametrize("name", derived())
def test_help_shows_each_argument_and_what_it_means(name: str) -> None:
    session = Session(cast(Operations, RecordingOperations()))
    shown = pydoc.plain(pydoc.render_doc(getattr(session, name)))
    assert f"{name}(" in shown
    for parameter in inspect.signature(getattr(session, name)).parameters:
        assert f"\n        {parameter}: " in shown
    assert "request:" not in shown
    assert "is_connected" not in shown


def test_help_shows_types_and_results() -> None:
    session = Session(cast(Operations, RecordingOperations()))
    signature = inspect.signature(session.delete)
    assert str(signature.replace(return_annotation=inspect.Signature.empty)) == (
        "(model_name: str, *, purge: bool = False, force: bool = False)"
    )
    assert signature.return_annotation is Deletion
    assert inspect.signature(session.fit).parameters["on_progress"].default is ignore_progress
    assert session.delete.__name__ == "delete"


def test_the_options_of_predict_are_fields_of_its_request() -> None:
    kinds = {each.name: each.type for each in fields(PredictRequest)}
    assert set(PredictOptions.__annotations__) == set(kinds) - {
        "model_name",
        "model_names",
        "text",
        "texts",
        "explain",
    }


def test_a_training_shows_a_bar_where_it_is_wanted_and_tells_its_listener_too(
    told: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[Progress] = []
    heard: list[Progress] = []
    asked: list[bool | None] = []

    @contextmanager
    def bar(wanted: bool | None) -> Iterator[Any]:
        asked.append(wanted)
        yield None if wanted is False else shown.append

    monkeypatch.setattr(keywords, "training_bar", bar)
    news = Progress("saving")
    told.fit("a", [("x", "y")])[2]["on_progress"](news)
    told.fit("a", [("x", "y")], on_progress=heard.append, progress=True)[2]["on_progress"](news)
    told.reproduce("a", progress=True)[2]["on_progress"](news)
    assert (shown, heard) == ([news] * 3, [news])
    assert told.fit("a", [("x", "y")], progress=False)[2] == {}
    assert asked == [None, True, True, False]
