"""Numbers that are written in another way."""

import pytest

from tests.cli.asking import Run


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        (("set-threshold", "a", "61%"), "'SCORE' is '61%', which is no number. Write 0.61. See"),
        (("set-threshold", "a", "0,61"), "'SCORE' is '0,61', which is no number. Write 0.61. See"),
        (
            ("predict", "a", "--abstain-below", "7.5 %"),
            "'--abstain-below' is '7.5 %', which is no number. Write 0.075.",
        ),
        (
            ("evaluate", "a", "f", "--target-precision", "much"),
            "'--target-precision' is 'much', which is no number. Wr",
        ),
        (
            ("fit", "a", "f", "--num-iterations", "1,000"),
            "'--num-iterations' is '1,000', which is no whole number. Write 1000",
        ),
        (("fit", "a", "f", "--seed", "2.5"), "'--seed' is '2.5', which is no whole number. Write one. See"),
        (
            ("evaluate", "a", "f", "--show-errors", "50%"),
            "'--show-errors' is '50%', which is no whole number. Write one.",
        ),
    ],
)
def test_what_is_no_number_is_named_with_what_to_write(ask: Run, words: tuple[str, ...], refusal: str) -> None:
    refused = ask(*words)
    assert refused.code == 2
    assert refused.refusal.startswith(refusal)
    assert "Input should be" not in refused.err


def test_other_mistakes_are_told_as_they_are(ask: Run) -> None:
    assert ask("set-threshold").refusal.startswith("Missing argument 'NAME'.")
    assert ask("evaluate", "a", "f", "--show-errors", "-1").refusal.startswith("Invalid value for '--show-errors': ")
