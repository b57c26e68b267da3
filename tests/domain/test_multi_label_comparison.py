"""What a pair of multi-label classifiers allows to conclude, and which one is recommended."""

import pytest

from windrow.domain.interval import Interval
from windrow.domain.multi_label_comparison import LabelDifference, MultiLabelPair, recommend_multi_label


def pair(
    fixed: int, broken: int, p_value: float, f1: tuple[float, float, float] = (0, -0.01, 0.01), second: str = "b"
) -> MultiLabelPair:
    return MultiLabelPair(
        first="a",
        second=second,
        fixed=fixed,
        broken=broken,
        p_value=p_value,
        difference=(fixed - broken) / 100,
        difference_interval=Interval(0, 0),
        rows_needed=None,
        total=100,
        micro_f1_difference=f1[0],
        micro_f1_interval=Interval(*f1[1:]),
        labels=(
            LabelDifference("urgent", 9, 0, 0.4, 0.8, 0.004, 0.008, second),
            LabelDifference("billing", 0, 2, 0.9, 0.8, 0.5, 0.5, None),
        ),
    )


BETTER_F1 = (0.05, 0.02, 0.08)
WORSE_F1 = (-0.05, -0.08, -0.02)


@pytest.mark.parametrize(
    ("judged", "better", "verdict"),
    [
        (
            pair(9, 1, 0.0215, BETTER_F1),
            "b",
            "By whole sets: b is better (p = 0.0215). By F1 over all decisions, b is better: +0.050 (95 % interval "
            "+0.020 to +0.080).",
        ),
        (
            pair(5, 5, 1.0, BETTER_F1),
            None,
            "By whole sets: No difference is shown: b fixes 5 rows and breaks as many. By F1 over all decisions, b is "
            "better: +0.050 (95 % interval +0.020 to +0.080).",
        ),
        (
            pair(9, 1, 0.0215, WORSE_F1),
            None,
            "No verdict: b is better by whole sets (9 fixed, 1 broken). By F1 over all decisions, a is better: -0.050 "
            "(95 % interval -0.080 to -0.020).",
        ),
        (
            pair(0, 0, 1.0),
            None,
            "By whole sets: They place the same rows right, so these rows cannot tell them apart. By F1 over all "
            "decisions, no difference is shown: +0.000 (95 % interval -0.010 to +0.010).",
        ),
    ],
)
def test_a_verdict_says_what_sets_f1_and_labels_show(judged: MultiLabelPair, better: str | None, verdict: str) -> None:
    assert judged.better == better
    assert judged.verdict == f"{verdict} b is shown better at 'urgent'."


def test_what_whole_sets_show_is_promoted() -> None:
    promoted = recommend_multi_label(("a", "b"), [pair(9, 1, 0.0215, BETTER_F1)])
    assert (promoted.model_name, promoted.reason) == (
        "b",
        "Promote b: it beats a (9 rows fixed, 1 broken, p = 0.0215).",
    )


def test_what_only_f1_shows_is_told_and_not_promoted() -> None:
    kept = recommend_multi_label(("a", "b"), [pair(8, 5, 0.581, BETTER_F1)])
    assert kept.model_name == "a"
    assert kept.reason == (
        "Keep a: b places more rows right, but chance could do that too (8 rows fixed, 5 broken, p = 0.581). F1 over "
        "all decisions is better with b, by +0.050 (95 % interval +0.020 to +0.080): promote it if single labels "
        "matter more to you than whole sets."
    )


def test_what_f1_shows_to_be_worse_is_never_promoted() -> None:
    kept = recommend_multi_label(("a", "b"), [pair(9, 1, 0.0215, WORSE_F1)])
    assert (kept.model_name, kept.reason) == ("a", "Keep a: F1 over all decisions shows b to be worse.")
    pairs = [pair(9, 1, 0.0215, WORSE_F1), pair(20, 1, 0.00001, BETTER_F1, second="c")]
    promoted = recommend_multi_label(("a", "b", "c"), pairs)
    assert promoted.model_name == "c"
    assert promoted.reason.endswith("corrected for 2 rivals). Left out: b, shown to have a worse F1.")
