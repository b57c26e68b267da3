"""What has the form of an API key, and which of them nobody guesses."""

import base64
import secrets
from collections.abc import Callable

import pytest

from windrow.domain.errors import InvalidParameter
from windrow.domain.key_form import checked_key, is_key, is_strong_key


@pytest.mark.parametrize("text", ["", "wdr_", "wdr_a\n", "WDR_abc", "wdr_a b", "wdr_é", f"wdr_{'a' * 129}", "x wdr_a"])
def test_another_text_is_no_key(text: str) -> None:
    assert not is_key(text)


@pytest.mark.parametrize("text", ["hunter2", "WDR_abc", "wdr_a b", f"wdr_{'a' * 129}"])
def test_what_is_no_key_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(InvalidParameter, match="WINDROW_API_KEY") as caught:
        checked_key(text, "WINDROW_API_KEY")
    assert text not in str(caught.value.facts) + caught.value.detail


def test_white_space_around_a_key_does_not_count() -> None:
    assert checked_key(" wdr_abc\n", "a file").reveal() == "wdr_abc"


@pytest.mark.parametrize("write", [bytes.hex, lambda data: base64.urlsafe_b64encode(data).decode().rstrip("=")])
def test_32_random_bytes_are_a_strong_key_in_hexadecimal_and_in_base64_and_fewer_are_none(
    write: Callable[[bytes], str],
) -> None:
    assert is_strong_key(f"wdr_{write(secrets.token_bytes(32))}")
    assert not is_strong_key(write(secrets.token_bytes(32)))
    assert not is_strong_key(f"wdr_{write(secrets.token_bytes(16))}")


@pytest.mark.parametrize("text", ["a" * 64, "01234567" * 8, "correct-horse-battery", ""])
def test_what_somebody_typed_is_no_strong_key(text: str) -> None:
    assert not is_strong_key(f"wdr_{text}")
