"""Figures as people read them."""

import re

import pytest

from tests.source_tree import modules
from windrow.domain.figures import counted, percent


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


def test_no_sentence_leaves_the_plural_to_its_reader() -> None:
    assert [module.name for module in modules() if re.search(r"[a-z]\(e?s\)", module.source)] == []
