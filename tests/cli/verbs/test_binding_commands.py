"""Bindings on the command line: bind a question, list what is bound, take it away."""

import pytest

from tests.cli.asking import Run

pytestmark = pytest.mark.usefixtures("trained")


def test_a_question_is_bound_listed_and_bound_no_more(ask: Run) -> None:
    bound = ask("bind", "Is it money?", "tickets_v1", "--positive-label", "refund")
    assert bound.out == "tickets_v1 now answers the question Is it money?.\n"
    assert ask("bind", "how bad", "tickets_v1", "--level", "invoice", "--level", "refund").code == 0
    listed = ask("bindings").out
    assert "true: refund" in listed
    assert "invoice < refund" in listed
    gone = ask("bindings", "--remove", "Is it money?")
    assert gone.out == "The question Is it money? is bound to no classifier.\n"
    assert "Is it money?" not in ask("bindings").out


def test_without_bindings_the_way_to_one_is_told(ask: Run) -> None:
    ended = ask("bindings")
    assert (ended.code, ended.out) == (0, "")
    assert "windrow bind QUESTION MODEL" in ended.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("bind", "a", "nothing_v9"), "nothing_v9"),
        (("bind", "a", "tickets_v1", "--positive-label", "no label"), "--positive-label names what tickets_v1"),
        (("bind", "a", "tickets_v1", "--level", "refund"), "--level must be 2 to 10"),
        (("bind", "a"), "MODEL"),
    ],
)
def test_what_is_wrong_is_told_and_binds_nothing(ask: Run, arguments: tuple[str, ...], told: str) -> None:
    ended = ask(*arguments)
    assert ended.code != 0
    assert told in ended.err
    assert ask("bindings").out == ""
