"""Classifying without a classifier in Python: one text, or a column of any length."""

import asyncio
import pydoc
import warnings
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from tests.client.serving import serving
from tests.toy import Toy
from windrow.domain.errors import InvalidParameter, InvalidText, LimitExceeded
from windrow.session.async_client import AsyncClient
from windrow.session.reply_warnings import WindrowWarning
from windrow.session.session import Session

LABELS = ["money back", "sign in"]


@pytest.fixture
def bare(toy: Toy) -> Session:
    """A session without any classifier."""
    return Session(toy)


def test_a_string_has_one_answer(bare: Session) -> None:
    answer = bare.classify("I want money", LABELS)
    assert (answer.label, list(answer.scores)) == ("money back", LABELS)


@pytest.mark.parametrize("column", [list, tuple, np.array, pd.Series, pl.Series, iter])
def test_a_column_has_a_list_of_answers_in_its_order(bare: Session, column: Any) -> None:
    answers = bare.classify(column(["money", "sign it", "money"]), LABELS)
    assert [answer.label for answer in answers] == ["money back", "sign in", "money back"]


@pytest.mark.parametrize("column", [list, tuple, np.array, pd.Series, pl.Series])
def test_labels_may_be_any_column_of_strings(bare: Session, column: Any) -> None:
    assert bare.classify("money", column(LABELS)).label == "money back"


def test_a_column_of_any_length_goes_in_batches(bare: Session) -> None:
    assert [each.label for each in bare.classify(["money"] * 7, LABELS, batch_size=3)] == ["money back"] * 7
    assert bare.classify([], LABELS) == []


def test_options_reach_the_verb(bare: Session) -> None:
    plain = bare.classify("money", LABELS)
    several = bare.classify(["money"], LABELS, multi_label=True)
    assert (several[0].label, several[0].multi_label, plain.multi_label) == (None, True, False)
    described = bare.classify("money", LABELS, label_descriptions={"sign in": "money money"})
    assert described.scores["sign in"] > plain.scores["sign in"]
    assert dict(bare.classify("money", LABELS, hypothesis_template="money {}").scores) != dict(plain.scores)


@pytest.mark.parametrize("batch_size", [2, 1_000])
def test_a_bad_text_is_named_by_its_number_among_all(bare: Session, batch_size: int) -> None:
    with pytest.raises(InvalidText) as caught:
        bare.classify(["a", "b", "c", " "], LABELS, batch_size=batch_size)
    assert caught.value.facts["index"] == 3
    with pytest.raises(LimitExceeded) as exceeded:
        bare.classify(["a", "b", "c" * 20_001], LABELS, batch_size=batch_size)
    assert exceeded.value.facts["index"] == 2


@pytest.mark.parametrize(
    ("labels", "detail"),
    [
        ("money,login", "labels is one string. Pass a list of strings."),
        ({"money", "login"}, "labels is a set, which has no order. Pass a list."),
        (["money", 3], "labels[1] is 3; it must be a string. Pass one."),
        (["money"], "labels has 1 entry, and needs at least 2."),
    ],
)
def test_labels_that_are_none_are_refused(bare: Session, labels: Any, detail: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        bare.classify("text", labels)
    assert caught.value.detail.startswith(detail)


def test_an_unknown_option_is_refused_as_python_does(bare: Session) -> None:
    with pytest.raises(TypeError, match=r"classify\(\) got an unexpected keyword argument 'multilabel'. Did you mean"):
        bare.classify("text", LABELS, multilabel=True)  # type: ignore[call-overload]


def test_what_a_reply_warns_of_is_shown_once_at_the_line_that_called(bare: Session) -> None:
    for texts in ("money", ["money"] * 5):
        with warnings.catch_warnings(record=True) as shown:
            warnings.simplefilter("always")
            bare.classify(texts, LABELS, model="facebook/bart-large-mnli", batch_size=2)
        [warning] = shown
        assert isinstance(warning.message, WindrowWarning)
        assert (warning.message.code, warning.filename) == ("other_model", __file__)


def test_coroutines_answer_alike(toy: Toy, bare: Session) -> None:
    async def ask(url: str) -> tuple[object, object]:
        async with AsyncClient(url) as client:
            with pytest.raises(InvalidText) as caught:
                await client.classify(["a", "b", " "], LABELS, batch_size=2)
            assert caught.value.facts["index"] == 2
            one = await client.classify("money", LABELS)
            return one.label, await client.classify(["money", "sign"], LABELS, multi_label=True, batch_size=1)

    with serving(toy, toy.settings) as url:
        label, several = asyncio.run(ask(url))
    here = bare.classify(["money", "sign"], LABELS, multi_label=True)
    assert label == "money back"
    assert isinstance(several, type(here))
    for one, other in zip(several, here, strict=True):
        assert one.labels == other.labels
        assert dict(one.scores) == pytest.approx(dict(other.scores), abs=1e-4)


@pytest.mark.parametrize("owner", [Session, AsyncClient])
def test_help_shows_each_option_with_its_default(owner: type) -> None:
    shown = pydoc.plain(pydoc.render_doc(owner.classify))  # type: ignore[attr-defined]
    for option in ("multi_label: ", "hypothesis_template: ", "model: ", "label_descriptions: "):
        assert option in shown
    assert "options" not in shown.splitlines()[2]
