"""Which texts are meant by a request to forget them, and which requests are refused."""

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow.domain.dataset import DataLimits
from windrow.domain.erasure import (
    MAX_FORGOTTEN_TEXTS,
    AffectedAlias,
    AffectedRevision,
    Erasure,
    ForgetRequest,
    TextMatcher,
    check_forget,
)
from windrow.domain.errors import InvalidParameter, InvalidText, LimitExceeded, WindrowError

FOUND = AffectedRevision(model_name="a", revision=1, rows=(0,), answers=True, deleted=False, aliases=(), status="found")


@pytest.mark.parametrize(
    "text", ["My name is Ana", "  my NAME is\tana\n", "My\u00a0name is Ana", "\uff2d\uff59 name is Ana"]
)
def test_case_blanks_and_the_form_of_characters_make_no_difference(text: str) -> None:
    assert TextMatcher(ForgetRequest(texts=("My name is Ana",)))(text)


@pytest.mark.parametrize("text", ["My name is Anna", "My name is Ana.", "name is Ana", ""])
def test_another_text_is_not_meant(text: str) -> None:
    assert not TextMatcher(ForgetRequest(texts=("My name is Ana",)))(text)


def test_a_digest_means_a_text_to_the_letter() -> None:
    digest = hashlib.sha256("Größe".encode()).hexdigest()
    matches = TextMatcher(ForgetRequest(text_sha256=(digest,)))
    assert matches.find(["größe", "Größe", "x", "Größe"]) == (1, 3)


@given(st.text(), st.lists(st.text(), min_size=1, max_size=3))
def test_every_text_is_found_by_itself(text: str, others: list[str]) -> None:
    assert TextMatcher(ForgetRequest(texts=(text, *others)))(text)


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (ForgetRequest(), InvalidParameter),
        (ForgetRequest(texts=("a",), action="burn"), InvalidParameter),
        (ForgetRequest(text_sha256=("A" * 64,)), InvalidParameter),
        (ForgetRequest(texts=("a",) * (MAX_FORGOTTEN_TEXTS + 1)), InvalidParameter),
        (ForgetRequest(texts=("a", " \t")), InvalidText),
        (ForgetRequest(texts=("a" * 30,)), LimitExceeded),
    ],
)
def test_a_request_that_names_no_text_properly_is_refused(request_: ForgetRequest, error: type[WindrowError]) -> None:
    with pytest.raises(error):
        check_forget(request_, DataLimits(max_text_chars=20))


def test_an_erasure_is_complete_once_nothing_of_it_is_kept() -> None:
    erasure = Erasure(action="purge", revisions=(FOUND,), aliases=(), unknown=())
    assert not erasure.complete
    done = replace(FOUND, status="purged")
    alias = AffectedAlias(alias="t", rows=1, status="found")
    assert not replace(erasure, revisions=(done,), aliases=(alias,)).complete
    assert replace(erasure, revisions=(done,), aliases=(replace(alias, status="rows_removed"),)).complete
    assert not replace(erasure, revisions=(done, replace(FOUND, status="in_use"))).complete
