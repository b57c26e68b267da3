"""What may be said about a change of an alias."""

import pytest

from windrow.domain.alias import MAX_SAID_CHARS, PromoteRequest, Said, check_promote_request, check_said
from windrow.domain.errors import InvalidName, InvalidParameter


@pytest.mark.parametrize("said", [Said(), Said("it is better", "Ada"), Said("é\n\0", "x" * MAX_SAID_CHARS)])
def test_what_can_be_kept_is_returned_unchanged(said: Said) -> None:
    request = PromoteRequest("live", "tickets_v2", said)
    assert check_said(said) is said
    assert check_promote_request(request) is request


@pytest.mark.parametrize("text", ["x" * (MAX_SAID_CHARS + 1), "\ud800"])
@pytest.mark.parametrize("field", ["reason", "by"])
def test_what_is_too_long_or_no_unicode_is_refused_by_name(field: str, text: str) -> None:
    for refuse in (check_said, lambda said: check_promote_request(PromoteRequest("live", "tickets_v2", said))):
        with pytest.raises(InvalidParameter, match=f"^{field} must be") as caught:
            refuse(Said(**{field: text}))
        assert caught.value.facts == {"parameter": field}


def test_an_alias_has_a_name_like_any_other() -> None:
    with pytest.raises(InvalidName):
        check_promote_request(PromoteRequest("live@2", "tickets_v2"))
