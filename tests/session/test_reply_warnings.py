import inspect
import io
import pickle
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

import windrow
from tests.session.conftest import LABELS, TEXTS
from tests.toy import Toy
from windrow.domain.archive import ExportRequest
from windrow.domain.dataset import DataWarning
from windrow.session.reply_warnings import WindrowWarning
from windrow.session.session import Session

VERBS: dict[str, Callable[[Session], Any]] = {
    "fit": lambda session: session.fit("tickets_v2", TEXTS, LABELS, num_iterations=0),
    "evaluate": lambda session: session.evaluate("tickets_v1", TEXTS, LABELS),
    "compare": lambda session: session.compare(["tickets_v1", "tickets_v1@1"], TEXTS, LABELS),
    "cross_validate": lambda session: session.cross_validate(TEXTS, LABELS, folds=2, num_iterations=0),
}


def caught(do: Callable[[], Any]) -> tuple[Any, list[warnings.WarningMessage]]:
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        return do(), shown


@pytest.mark.parametrize("verb", VERBS)
def test_each_warning_of_a_reply_is_shown_once_at_the_line_that_called(verb: str, session: Session) -> None:
    reply, shown = caught(lambda: VERBS[verb](session))
    assert reply.warnings
    assert [str(each.message) for each in shown] == [each.message for each in reply.warnings]
    for each, told in zip(shown, reply.warnings, strict=True):
        assert isinstance(each.message, WindrowWarning)
        assert (each.message.code, each.message.rows) == (told.code, told.rows)
        assert (each.filename, each.lineno) == (__file__, inspect.getsourcelines(VERBS[verb])[1])


def test_perfect_figures_on_rows_that_it_was_trained_on_are_not_shown_without_a_warning(session: Session) -> None:
    report, shown = caught(lambda: session.evaluate("tickets_v1", TEXTS, LABELS))
    assert report.accuracy == 1
    assert "training_rows_in_test" in [getattr(each.message, "code", None) for each in shown]


def test_a_second_call_warns_again(session: Session) -> None:
    def twice() -> None:
        for _ in range(2):
            session.evaluate("tickets_v1", TEXTS[:1], LABELS[:1], save=False)

    _, shown = caught(twice)
    reply, once = caught(lambda: session.evaluate("tickets_v1", TEXTS[:1], LABELS[:1], save=False))
    assert len(shown) == 2 * len(once) == 2 * len(reply.warnings) > 0


def test_looking_at_a_record_does_not_repeat_what_its_training_warned_of(session: Session) -> None:
    details, shown = caught(lambda: session.show("tickets_v1"))
    assert details.warnings
    assert shown == []


def test_an_import_warns_of_what_the_import_found(session: Session, toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = b"".join(toy.export(ExportRequest("tickets_v1")).chunks)
    import_ = toy.import_classifier
    found = (DataWarning("other_base_model", "The base model is another one."),)
    monkeypatch.setattr(toy, "import_classifier", lambda *asked: replace(import_(*asked), import_warnings=found))
    imported, shown = caught(lambda: session.import_file(io.BytesIO(archive), "tickets_v2"))
    assert imported.warnings
    assert [str(each.message) for each in shown] == ["The base model is another one."]
    assert shown[0].filename == __file__


def test_the_class_is_a_name_of_the_package_and_goes_to_other_processes() -> None:
    assert windrow.WindrowWarning is WindrowWarning
    again = pickle.loads(pickle.dumps(WindrowWarning("Two rows are equal.", "duplicate_rows", (1, 2))))
    assert (str(again), again.code, again.rows) == ("Two rows are equal.", "duplicate_rows", (1, 2))
