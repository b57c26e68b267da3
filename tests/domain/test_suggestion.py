"""What a pool of texts to choose from must be like."""

import pytest

from windrow.domain.dataset import DataLimits
from windrow.domain.errors import InvalidName, InvalidParameter, InvalidText, LimitExceeded, WindrowError
from windrow.domain.suggestion import SuggestRequest, check_suggest_request

LIMITS = DataLimits(max_rows=3, max_text_chars=5)


@pytest.mark.parametrize(
    "request_",
    [
        SuggestRequest("a", ("text",)),
        SuggestRequest("a@3", ("text",) * 3, n=1),
        SuggestRequest("a@latest", ("text",), n=1_000),
    ],
)
def test_a_request_within_the_rules_is_allowed(request_: SuggestRequest) -> None:
    check_suggest_request(request_, LIMITS)


@pytest.mark.parametrize(
    ("request_", "error", "facts"),
    [
        (SuggestRequest("!", ("a",)), InvalidName, {"name": "!"}),
        (SuggestRequest("a", ("a",), n=0), InvalidParameter, {"parameter": "n", "minimum": 1, "maximum": 1_000}),
        (SuggestRequest("a", ("a",), n=1_001), InvalidParameter, {"parameter": "n"}),
        (SuggestRequest("a", ()), InvalidParameter, {"parameter": "texts"}),
        (SuggestRequest("a", ("a",) * 4), LimitExceeded, {"limit": 3, "setting": "WINDROW_MAX_ROWS"}),
        (SuggestRequest("a", ("a", "")), InvalidText, {"index": 1}),
        (SuggestRequest("a", ("a", "b", " ")), InvalidText, {"index": 2}),
        (SuggestRequest("a", ("\ud800",)), InvalidText, {"index": 0}),
        (SuggestRequest("a", ("a", "123456")), LimitExceeded, {"index": 1, "limit": 5}),
    ],
)
def test_a_request_that_breaks_a_rule_is_refused_with_the_place_and_the_rule(
    request_: SuggestRequest, error: type[WindrowError], facts: dict[str, object]
) -> None:
    with pytest.raises(error) as caught:
        check_suggest_request(request_, LIMITS)
    assert caught.value.facts.items() >= facts.items()
