"""How the text of a parameter is read: flags, filled texts, whole numbers."""

import pytest

from windrow.domain.errors import InvalidParameter
from windrow.wire.queries import flag, read_filled, read_flag, read_whole_number, text


@pytest.mark.parametrize(("said", "means"), [("true", True), ("1", True), ("false", False), ("0", False)])
def test_a_flag_is_said_in_words_or_digits(said: str, means: bool) -> None:
    assert read_flag({"purge": said}, "purge") is means


def test_a_flag_that_is_not_there_is_off_unless_it_is_one_that_is_on_by_default() -> None:
    assert read_flag({"force": "1"}, "purge") is False
    assert read_flag({"force": "1"}, "wait", default=True) is True
    assert read_flag({"wait": "0"}, "wait", default=True) is False


def test_a_flag_that_is_on_by_default_is_refused_with_how_to_switch_it_off() -> None:
    with pytest.raises(InvalidParameter, match="wait=false"):
        read_flag({"wait": "no"}, "wait", default=True)


@pytest.mark.parametrize("said", ["", "yes", "True", "TRUE", "on", "2", " true", "null", "01"])
def test_a_flag_that_says_something_else_is_refused_and_never_guessed(said: str) -> None:
    with pytest.raises(InvalidParameter, match="purge=true") as caught:
        read_flag({"purge": said}, "purge")
    assert caught.value.facts == {"parameter": "purge", "allowed": ["true", "1", "false", "0"]}


def test_a_text_may_be_left_out_but_not_empty() -> None:
    assert read_filled({}, "prefix") is None
    assert read_filled({"prefix": " "}, "prefix") == " "
    with pytest.raises(InvalidParameter, match="prefix is empty"):
        read_filled({"prefix": ""}, "prefix")


@pytest.mark.parametrize(("said", "means"), [("0", 0), ("-3", -3), ("007", 7), ("999999999", 999_999_999)])
def test_a_whole_number_is_read_in_digits(said: str, means: int) -> None:
    assert read_whole_number({"limit": said}, "limit", (1, 9)) == means


@pytest.mark.parametrize("said", ["", "a", "1.5", " 1", "1_000", "+1", "--1", "\u0661", "9" * 10, "null"])
def test_what_is_no_whole_number_is_refused_with_the_range(said: str) -> None:
    with pytest.raises(InvalidParameter, match="between 1 and 9") as caught:
        read_whole_number({"limit": said}, "limit", (1, 9))
    assert caught.value.facts == {"parameter": "limit", "minimum": 1, "maximum": 9}


def test_a_description_says_what_kind_of_value_is_wanted() -> None:
    assert text("tag", "A tag.").schema == {"type": "string"}
    assert flag("purge", "For good.").schema == {"type": "boolean", "default": False}
