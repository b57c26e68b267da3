import pydoc
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import polars as pl
import pytest

from tests.multi_label import NAME, ROWS, publish_multi_label
from tests.session.standins import Counting
from tests.toy import Toy
from windrow.domain.errors import ClassifierNotFound, InvalidName, InvalidParameter, InvalidText, LimitExceeded
from windrow.operations import Operations
from windrow.session.async_client import AsyncClient
from windrow.session.session import Session


@pytest.fixture
def counting(session: Session) -> Counting:
    """What counts the requests of the session's predictions."""
    counting = Counting(session.operations)
    session._operations = cast(Operations, counting)
    return counting


def test_a_string_has_one_answer(session: Session) -> None:
    assert session.predict("tickets_v1", "money").label == "refund"


@pytest.mark.parametrize("column", [list, tuple, np.array, pd.Series, pl.Series])
def test_a_column_has_a_list_of_answers_in_its_order(session: Session, column: Any) -> None:
    answers = session.predict("tickets_v1", column(["money", "sign in", "money"]))
    assert [answer.label for answer in answers] == ["refund", "login", "refund"]


def test_no_text_has_no_answer_and_is_not_asked_about(session: Session, counting: Counting) -> None:
    assert session.predict("tickets_v1", []) == []
    assert counting.sizes == []


def test_a_column_of_any_length_goes_in_batches(session: Session, counting: Counting) -> None:
    assert len(session.predict("tickets_v1", ["money"] * 2_500)) == 2_500
    assert counting.sizes == [1_000, 1_000, 500]


def test_an_iterator_is_answered_batch_by_batch_as_answers_are_asked_for(session: Session, counting: Counting) -> None:
    taken = []

    def texts() -> Iterator[str]:
        for number in range(7):
            taken.append(number)
            yield "money"

    answers = session.predict("tickets_v1", texts(), batch_size=3)
    assert taken == []
    assert next(answers).label == "refund"
    assert taken == [0, 1, 2]
    assert len(list(answers)) == 6
    assert counting.sizes == [3, 3, 1]


def test_options_reach_each_batch(session: Session) -> None:
    answers = session.predict("tickets_v1", ["money"] * 3, batch_size=2, top_k=1, abstain_below=1.0)
    assert [(answer.label, len(answer.scores)) for answer in answers] == [(None, 1)] * 3


@pytest.mark.parametrize("batch_size", [1, 2, 1_000])
def test_a_bad_text_is_named_by_its_number_among_all(session: Session, batch_size: int) -> None:
    with pytest.raises(InvalidText, match=r"^texts\[4\] is blank") as refused:
        session.predict("tickets_v1", ["money", "a", "b", "c", " "], batch_size=batch_size)
    assert refused.value.facts["index"] == 4


def test_a_text_that_is_too_long_is_named_by_its_number_among_all(session: Session) -> None:
    with pytest.raises(LimitExceeded, match=r"^texts\[2\] has 20001 characters") as refused:
        session.predict("tickets_v1", ["money", "a", "b" * 20_001], batch_size=2)
    assert refused.value.facts["index"] == 2


def test_a_gap_in_a_column_is_refused_before_anything_is_asked(session: Session, counting: Counting) -> None:
    with pytest.raises(InvalidText, match=r"^texts\[2\] is missing"):
        session.predict("tickets_v1", pd.Series(["money", "a", None]), batch_size=1)
    assert counting.sizes == []


def test_a_gap_in_an_iterator_is_refused_when_it_is_reached(session: Session) -> None:
    answers = session.predict("tickets_v1", iter(["money", None]), batch_size=1)
    assert next(answers).label == "refund"
    with pytest.raises(InvalidText, match=r"^texts\[1\] is missing"):
        next(answers)


@pytest.mark.parametrize("batch_size", [0, -1, "3"])
def test_a_batch_has_at_least_one_text(session: Session, batch_size: Any) -> None:
    with pytest.raises(InvalidParameter, match="batch_size is"):
        session.predict("tickets_v1", iter(["money"]), batch_size=batch_size)


def test_a_wrong_option_is_refused_before_an_iterator_is_touched(session: Session) -> None:
    with pytest.raises(TypeError, match="Did you mean 'top_k'"):
        session.predict("tickets_v1", iter(["money"]), topk=1)  # type: ignore[call-overload]


def test_a_name_that_means_nothing_or_is_none_is_refused(session: Session) -> None:
    with pytest.raises(ClassifierNotFound):
        session.predict("tickets_v9", "money")
    with pytest.raises(InvalidName):
        session.predict(5, "money")  # type: ignore[call-overload]


def test_several_classifiers_answer_by_the_names_they_were_asked_by(session: Session) -> None:
    session.promote("tickets", "tickets_v1")
    answers = session.predict_with(["tickets_v1", "tickets"], "sign in")
    assert {name: answer.label for name, answer in answers.items()} == {"tickets_v1": "login", "tickets": "login"}
    assert answers["tickets"].alias == "tickets"


def test_an_explanation_comes_with_the_answer(session: Session) -> None:
    assert session.explain("tickets_v1", "money back").explanation is not None
    with pytest.raises(InvalidText, match="list"):
        session.explain("tickets_v1", ["money"])  # type: ignore[arg-type]


def test_texts_worth_labelling_are_chosen_from_a_column(session: Session) -> None:
    assert len(session.suggest("tickets_v1", pd.Series(["sign here", "what", "why"]), n=2).suggestions) == 2


@pytest.mark.parametrize("owner", [Session, AsyncClient])
@pytest.mark.parametrize("method", ["predict", "explain", "predict_with"])
def test_help_shows_each_option_of_a_prediction_with_its_default(owner: type, method: str) -> None:
    shown = pydoc.plain(pydoc.render_doc(getattr(owner, method)))
    assert (
        "*, top_k: int | None = None, abstain_below: float | None = None, min_in_scope: float | None = None)" in shown
    )


def test_a_multi_label_classifier_gives_its_labels(session: Session, toy: Toy) -> None:
    publish_multi_label(toy)
    assert session.predict(NAME, "I was charged twice").labels == ("billing",)
    answers = session.predict(NAME, list(ROWS))
    assert [sorted(answer.given) for answer in answers] == [list(labels) for labels in ROWS.values()]
    assert {answer.kind for answer in answers} == {"multi_label"}
    changed = session.set_threshold(NAME, None, label_thresholds={"billing": 0.999})
    assert changed.label_thresholds == {"billing": 0.999, "bug": 0.25, "urgent": 0.75}
    assert session.predict(NAME, "I was charged twice").labels == ()
    assert session.set_threshold(NAME, None).status == "cleared"


def test_an_exported_classifier_gives_the_same_labels_elsewhere(session: Session, toy: Toy, tmp_path: Path) -> None:
    publish_multi_label(toy)
    session.set_threshold(NAME, 0.25, label_thresholds={"billing": 0.999})
    path = session.export(NAME, tmp_path / "mails.windrow")
    other = Toy()
    imported = Session(other)
    imported.import_file(path, "elsewhere")
    assert imported.show("elsewhere").thresholds_by_label == {"billing": 0.999, "bug": 0.25, "urgent": 0.75}
    for text in ROWS:
        one, same = session.predict(NAME, text), imported.predict("elsewhere", text)
        assert (one.labels, one.abstained, one.scores) == (same.labels, same.abstained, same.scores)
    other.close()
