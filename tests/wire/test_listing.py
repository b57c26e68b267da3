"""The list's JSON shapes, and the parameters that ask for a page of it."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.records import record
from windrow.domain.errors import InvalidParameter
from windrow.domain.listing import Listing, Page
from windrow.domain.names import NAME_GRAMMAR
from windrow.wire.listing import ModelList, ModelPage, from_cursor, read_page, to_cursor


def test_an_entry_shows_time_in_utc_and_the_base_models_id() -> None:
    [entry] = ModelList.of(Listing((record(),))).models
    assert (entry.created_at, entry.base_model, entry.num_examples) == ("2025-09-15T10:30:00Z", "fake/encoder", 8)


def test_the_whole_list_has_no_cursor_and_the_last_page_has_null() -> None:
    assert set(ModelList.of(Listing(())).model_dump()) == {"models"}
    assert ModelPage.of(Listing((), None)).model_dump() == {"models": [], "next_cursor": None}


@settings(deadline=None)
@given(st.from_regex(NAME_GRAMMAR, fullmatch=True), st.integers(-99_999_999, 999_999_999))
def test_a_cursor_leads_back_to_the_name_that_the_next_page_starts_after(name: str, limit: int) -> None:
    cursor = ModelPage.of(Listing((replace(record(), name=name),), name)).next_cursor
    assert cursor is not None
    assert read_page(str(limit), cursor) == Page(limit, name)


def test_without_parameters_the_whole_list_is_asked_for() -> None:
    assert read_page(None, None).is_whole_list


@pytest.mark.parametrize("limit", ["", "a", "1.5", " 1", "1_000", "+1", "--1", "\u0661", "9" * 10, "null"])
def test_a_limit_that_is_no_whole_number_is_refused(limit: str) -> None:
    with pytest.raises(InvalidParameter, match="between 1 and 1000"):
        read_page(limit, None)


@pytest.mark.parametrize(
    "cursor", ["", "!", "tickets", "a", to_cursor("tickets") + "?", to_cursor("no name!"), "é", "_w"]
)
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidParameter, match="next_cursor"):
        from_cursor(cursor)
