"""What may be compared, what a pair allows to conclude, and which classifier is recommended."""

import pytest

from windrow.domain.comparison import CompareRequest, Pair, check_compare_request, recommend
from windrow.domain.errors import InvalidName, InvalidParameter
from windrow.domain.interval import Interval


def pair(fixed: int, broken: int, p_value: float, rows_needed: int | None = None, second: str = "b") -> Pair:
    return Pair("a", second, fixed, broken, p_value, (fixed - broken) / 100, Interval(0, 0), rows_needed, 100)


def test_names_that_can_be_compared_are_allowed() -> None:
    check_compare_request(CompareRequest(("tickets", "tickets_v1@3", "tickets@latest"), ()))


@pytest.mark.parametrize("count", [0, 1, 21])
def test_too_few_names_and_too_many_are_refused(count: int) -> None:
    with pytest.raises(InvalidParameter, match=rf"takes 2 to 20 classifiers; model_names has {count}\."):
        check_compare_request(CompareRequest(tuple(f"m{number}" for number in range(count)), ()))


def test_a_name_that_stands_twice_is_refused() -> None:
    with pytest.raises(InvalidParameter, match="has b twice"):
        check_compare_request(CompareRequest(("a", "b", "b"), ()))


def test_a_name_that_breaks_the_grammar_is_refused() -> None:
    with pytest.raises(InvalidName):
        check_compare_request(CompareRequest(("a", "b c"), ()))


@pytest.mark.parametrize(
    ("judged", "better", "verdict"),
    [
        (pair(9, 1, 0.0215), "b", "b is better (p = 0.0215)."),
        (pair(1, 9, 0.0215), "a", "a is better (p = 0.0215)."),
        (pair(30, 0, 1.9e-9), "b", "b is better (p < 0.001)."),
        (pair(0, 0, 1.0), None, "They place the same rows right, so these rows cannot tell them apart."),
        (pair(3, 3, 1.0), None, "No difference is shown: b fixes 3 rows and breaks as many."),
        (
            pair(4, 1, 0.375, 550),
            None,
            "Not enough evidence: b fixes 4 rows and breaks 1 (p = 0.375); about 450 more rows like these would be "
            "needed to show it, if the difference is real.",
        ),
        (
            pair(1, 2, 1.0, 550),
            None,
            "Not enough evidence: only 3 rows differ, too few to say how many more would be needed.",
        ),
        (
            pair(50, 49, 1.0),
            None,
            "Not enough evidence: b fixes 50 rows and breaks 49 (p = 1); more than 1,000,000 rows like these would "
            "be needed to show it, if the difference is real.",
        ),
    ],
)
def test_a_verdict_says_no_more_than_the_rows_show(judged: Pair, better: str | None, verdict: str) -> None:
    assert (judged.better, judged.verdict) == (better, verdict)


def test_what_lies_just_beside_the_border_does_not_look_alike() -> None:
    assert pair(9, 1, 0.0496).verdict == "b is better (p = 0.0496)."
    assert "(p = 0.0504)" in pair(9, 1, 0.0504, 150).verdict


def test_the_first_one_is_kept_where_none_places_more_rows_right() -> None:
    kept = recommend(("a", "b"), (pair(5, 5, 1.0),))
    assert (kept.model_name, kept.reason) == ("a", "Keep a: none of the others places more rows right.")


def test_a_rival_whose_lead_chance_could_make_is_not_promoted() -> None:
    kept = recommend(("a", "b"), (pair(8, 5, 0.581),))
    assert kept.model_name == "a"
    assert kept.reason == (
        "Keep a: b places more rows right, but chance could do that too (8 rows fixed, 5 broken, p = 0.581)."
    )


def test_a_rival_that_is_shown_to_be_better_is_promoted() -> None:
    promoted = recommend(("a", "b"), (pair(9, 1, 0.0215),))
    assert promoted.model_name == "b"
    assert promoted.reason == "Promote b: it beats a (9 rows fixed, 1 broken, p = 0.0215)."


def test_one_of_several_rivals_needs_a_clearer_lead() -> None:
    three = ("a", "b", "c")
    pairs = (pair(9, 1, 0.0215), pair(0, 10, 0.002, second="c"))
    assert recommend(three, pairs).model_name == "b"
    four = (*three, "d")
    kept = recommend(four, (*pairs, pair(0, 10, 0.002, second="d")))
    assert kept.model_name == "a"
    assert kept.reason.endswith("(9 rows fixed, 1 broken, p = 0.0645, corrected for 3 rivals).")


def test_a_lucky_leader_does_not_hide_a_rival_that_is_shown_to_be_better() -> None:
    results = ("a", "b", "c")
    pairs = (pair(25, 14, 0.108), pair(10, 0, 0.00195, second="c"))
    promoted = recommend(results, pairs)
    assert promoted.model_name == "c"
    assert promoted.reason == (
        "Promote c: it beats a (10 rows fixed, 0 broken, p = 0.0039, corrected for 2 rivals). b places more rows "
        "right still, but chance could do that too (25 rows fixed, 14 broken, p = 0.216, corrected for 2 rivals)."
    )


def test_of_rivals_that_do_equally_well_the_first_named_one_is_promoted() -> None:
    results = ("a", "b", "c")
    pairs = (pair(10, 0, 0.00195), pair(10, 0, 0.00195, second="c"))
    assert recommend(results, pairs).model_name == "b"


def test_no_p_is_shown_above_1() -> None:
    results = ("a", "b", "c")
    kept = recommend(results, (pair(1, 0, 1.0), pair(0, 10, 0.002, second="c")))
    assert "p = 1, corrected for 2 rivals" in kept.reason


def test_a_rival_that_was_trained_on_test_rows_is_recommended_by_the_others_alone() -> None:
    """The outcomes count rows that the rival has seen; the pair does not, and there it is worse."""
    kept = recommend(("a", "b"), (pair(0, 10, 0.002),))
    assert kept.model_name == "a"
    assert kept.reason == "Keep a: none of the others places more rows right."
