"""Which part of the list may be asked for."""

import pytest

from windrow.domain.errors import InvalidName, InvalidParameter
from windrow.domain.listing import Page, check_page


@pytest.mark.parametrize("page", [Page(), Page(1), Page(1_000), Page(after="a"), Page(3, "a")])
def test_a_page_within_the_rules_is_returned_unchanged(page: Page) -> None:
    assert check_page(page) is page


@pytest.mark.parametrize("limit", [-1, 0, 1_001])
def test_a_limit_outside_its_range_is_refused_with_the_range(limit: int) -> None:
    with pytest.raises(InvalidParameter) as caught:
        check_page(Page(limit))
    assert caught.value.facts == {"parameter": "limit", "minimum": 1, "maximum": 1_000}


def test_a_page_starts_after_something_that_can_be_a_name() -> None:
    with pytest.raises(InvalidName):
        check_page(Page(after="../etc"))


def test_only_a_page_without_limit_and_start_is_the_whole_list() -> None:
    assert [Page().is_whole_list, Page(1).is_whole_list, Page(after="a").is_whole_list] == [True, False, False]
