"""What numbered labels are called, as people give it."""

import pytest

from windrow.domain.errors import InvalidParameter
from windrow.domain.label_names import parse_label_names


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ((), {}),
        (("0=negative,1=positive",), {"0": "negative", "1": "positive"}),
        (("0=negative", "1=positive"), {"0": "negative", "1": "positive"}),
        (("1=billing, refunds,2=other",), {"1": "billing, refunds", "2": "other"}),
        (('{"0": "negative", "1": "positive"}',), {"0": "negative", "1": "positive"}),
        (('["negative", "positive"]',), {"0": "negative", "1": "positive"}),
    ],
)
def test_names_are_read_as_pairs_or_as_json(given: tuple[str, ...], names: dict[str, str]) -> None:
    assert parse_label_names(given) == names


@pytest.mark.parametrize(
    "given",
    [
        *("negative", "0=", "=x", "0=a,0=b", "{", '{"0": 1}', '[""]', "[[]]", '{"0": {"a": "b"}}', "[" * 9_000),
        '{"' + r"\"" * 100_000,  # in linear time
    ],
)
def test_what_names_no_label_is_refused_with_an_example(given: str) -> None:
    with pytest.raises(InvalidParameter, match="as 0=negative,1=positive, or as a JSON object"):
        parse_label_names((given,))


def test_brackets_in_names_nest_nothing() -> None:
    assert parse_label_names((r'{"0": "[a] \"{", "1": "' + "[" * 300 + '"}',)) == {"0": '[a] "{', "1": "[" * 300}
