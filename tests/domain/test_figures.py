"""Figures as people read them."""

import re

import pytest

from tests.source_tree import modules
from windrow.domain.figures import counted, listed, percent


@pytest.mark.parametrize(
    ("share", "shown"), [(None, "-"), (0, "0.0 %"), (0.8333, "83.3 %"), (0.9996, "100.0 %"), (1, "100.0 %")]
)
def test_a_share_is_shown_in_percent(share: float | None, shown: str) -> None:
    assert percent(share) == shown


@pytest.mark.parametrize(("count", "shown"), [(0, "0 bodies"), (1, "1 body"), (2, "2 bodies"), (2_000, "2,000 bodies")])
def test_a_number_has_its_noun(count: int, shown: str) -> None:
    assert counted(count, "body", "bodies") == shown


def test_most_nouns_take_an_s() -> None:
    assert (counted(1, "row"), counted(2, "row")) == ("1 row", "2 rows")


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, ""), (1, "0"), (3, "0, 1, 2"), (4, "0, 1, 2 and 1 more"), (2_003, "0, 1, 2 and 2,000 more")],
)
def test_of_many_names_the_first_are_listed_and_the_others_counted(count: int, shown: str) -> None:
    assert listed(map(str, range(count)), 3) == shown


def test_names_that_hold_commas_are_listed_with_something_else_between_them() -> None:
    assert listed(("a, b", "c"), between="; ") == "a, b; c"


def test_no_sentence_leaves_the_plural_to_its_reader() -> None:
    assert [module.name for module in modules() if re.search(r"[a-z]\(e?s\)", module.source)] == []
