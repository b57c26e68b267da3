"""The list's JSON shapes, and the parameters that ask for a page of it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.records import record
from tests.wire.strategies import any_classifier, any_name, there_and_back
from windrow.domain.classifier import Classifier, Notes
from windrow.domain.errors import InvalidParameter
from windrow.domain.listing import SORTS, Listing, Page, Selection, check_page
from windrow.wire.listing import (
    LIST,
    SELECTION,
    ModelList,
    ModelPage,
    RecordPage,
    from_cursor,
    read_page,
    read_selection,
    show_listing,
    to_cursor,
)

CLASSIFIER = Classifier(record(), Notes(), None, None, None, 1_234, keeps_rows=True)
ALL = Page()


def test_the_whole_list_has_no_cursor_and_the_last_page_has_null() -> None:
    assert set(ModelList.of(Listing((CLASSIFIER,))).model_dump()) == {"models"}
    assert ModelPage.of(Listing((), None)).model_dump() == {"models": [], "next_cursor": None}


@pytest.mark.parametrize(
    ("page", "full", "shape"),
    [(ALL, False, ModelList), (Page(3), False, ModelPage), (ALL, True, RecordPage), (Page(3), True, RecordPage)],
)
def test_the_list_has_the_form_that_was_asked_for(page: Page, full: bool, shape: type) -> None:
    assert type(show_listing(Listing((CLASSIFIER,)), page, full)) is shape


@settings(deadline=None)
@given(st.builds(Listing, st.lists(any_classifier, max_size=3).map(tuple), st.none() | any_name))
def test_a_list_of_whole_records_survives_the_way_out_and_back(listing: Listing) -> None:
    assert there_and_back(RecordPage, listing) == listing


@settings(deadline=None)
@given(any_name, st.integers(-99_999_999, 999_999_999))
def test_a_cursor_leads_back_to_the_name_that_the_next_page_starts_after(name: str, limit: int) -> None:
    cursor = ModelPage.of(Listing((CLASSIFIER,), name)).next_cursor
    assert cursor is not None
    assert read_page({"limit": str(limit), "cursor": cursor}) == Page(limit, name)


def test_without_parameters_the_whole_list_is_asked_for() -> None:
    assert read_page({}) == ALL


def test_each_parameter_of_the_list_is_read() -> None:
    query = {"task": "a", "prefix": "b", "tag": "c", "base_model": "d", "sort": "-size", "deleted": "true"}
    assert read_page(query) == Page(selection=Selection("a", "b", "c", "d"), sort="-size", deleted=True)
    assert {parameter.name for parameter in LIST} == {*query, "limit", "cursor", "full"}


def test_the_orders_that_are_documented_are_the_ones_that_there_are() -> None:
    [sort] = [parameter for parameter in LIST if parameter.name == "sort"]
    assert sorted(sort.schema["enum"]) == sorted([*SORTS, *(f"-{name}" for name in SORTS)])
    for order in sort.schema["enum"]:
        check_page(read_page({"sort": order}))


@pytest.mark.parametrize("name", [*(parameter.name for parameter in SELECTION), "sort"])
def test_a_choice_that_is_empty_is_refused_and_selects_nothing(name: str) -> None:
    with pytest.raises(InvalidParameter, match=f"{name} is empty"):
        read_page({name: ""})


def test_a_selection_is_read_by_name_and_not_by_place() -> None:
    assert read_selection({"base_model": "d", "tag": "c"}) == Selection(tag="c", base_model="d")


@pytest.mark.parametrize("limit", ["", "a", "1.5", "9" * 10])
def test_a_limit_that_is_no_whole_number_is_refused(limit: str) -> None:
    with pytest.raises(InvalidParameter, match="between 1 and 1000"):
        read_page({"limit": limit})


@pytest.mark.parametrize(
    "cursor", ["", "!", "tickets", "a", to_cursor("tickets") + "?", to_cursor("no name!"), "é", "_w"]
)
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidParameter, match="next_cursor"):
        from_cursor(cursor)
