"""What may be asked of a promotion, and said about a change of an alias."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import pytest

from windrow.domain.alias import MAX_NOTE_CHARS, Alias, ChangeNote, PromoteRequest, check_note, check_promote_request
from windrow.domain.dataset import DataLimits, Row
from windrow.domain.errors import InvalidName, InvalidParameter, InvalidTestData, LimitExceeded
from windrow.domain.gate import MAX_MUST_PASS_ROWS, Requirement

ROWS = (Row("I was charged twice", "billing"),)
LIMITS = DataLimits(max_rows=3, max_text_chars=40)


@pytest.mark.parametrize(("reason", "author"), [("", ""), ("it is better", "Ada"), ("é\n\0", "x" * MAX_NOTE_CHARS)])
def test_what_can_be_kept_is_allowed(reason: str, author: str) -> None:
    check_note(ChangeNote(reason=reason, author=author))
    check_promote_request(PromoteRequest("live", "tickets_v2", reason=reason, author=author), LIMITS)


@pytest.mark.parametrize("text", ["x" * (MAX_NOTE_CHARS + 1), "\ud800"])
@pytest.mark.parametrize("field", ["reason", "author"])
def test_what_is_too_long_or_no_unicode_is_refused_by_name(field: str, text: str) -> None:
    request = PromoteRequest("live", "tickets_v2", **{field: text})  # type: ignore[arg-type]
    refusals: tuple[Callable[[], None], ...] = (
        partial(check_note, request),
        partial(check_promote_request, request, LIMITS),
    )
    for refuse in refusals:
        with pytest.raises(InvalidParameter, match=f"^{field} must be") as caught:
            refuse()
        assert caught.value.facts == {"parameter": field, "limit": MAX_NOTE_CHARS}


def test_an_alias_has_a_name_like_any_other() -> None:
    with pytest.raises(InvalidName):
        check_promote_request(PromoteRequest("live@2", "tickets_v2"), LIMITS)


@pytest.mark.parametrize("must_pass", [None, (), ROWS, ROWS * 3])
def test_rows_to_keep_may_be_left_out_none_or_some(must_pass: tuple[Row, ...] | None) -> None:
    request = PromoteRequest("live", "tickets_v2", require=Requirement(must_pass=ROWS), must_pass=must_pass)
    check_promote_request(request, LIMITS)


def test_rows_to_keep_that_break_a_rule_are_refused_by_name() -> None:
    with pytest.raises(InvalidTestData, match=r"^must_pass\[1\]\.label is blank") as caught:
        check_promote_request(PromoteRequest("live", "tickets_v2", must_pass=(*ROWS, Row("a", " "))), LIMITS)
    assert caught.value.facts == {"row": 1, "field": "label"}
    with pytest.raises(LimitExceeded, match=r"^must_pass\[0\]\.text has 41 characters"):
        check_promote_request(PromoteRequest("live", "tickets_v2", must_pass=(Row("a" * 41, "b"),)), LIMITS)
    too_many = PromoteRequest("live", "tickets_v2", must_pass=ROWS * (MAX_MUST_PASS_ROWS + 1))
    with pytest.raises(LimitExceeded, match=r"^must_pass has 1001 rows; at most 1000 are possible"):
        check_promote_request(too_many, DataLimits())


@pytest.mark.parametrize(("points_to", "revision"), [("tickets_v2", None), ("tickets_v2@3", 3)])
def test_an_alias_says_to_which_classifier_and_revision_it_points(points_to: str, revision: int | None) -> None:
    alias = Alias(alias="live", points_to=points_to, changed_at=datetime(2025, 9, 15, tzinfo=UTC), answers=True)
    assert (alias.model_name, alias.revision) == ("tickets_v2", revision)


def test_the_conditions_of_a_promotion_are_checked_too() -> None:
    with pytest.raises(InvalidParameter, match=r"Pass require\.test_data"):
        check_promote_request(PromoteRequest("live", "tickets_v2", require=Requirement(not_worse=True)), LIMITS)
