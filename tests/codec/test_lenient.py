"""Python's parser is asked, unless it would get to the limit of recursion."""

import json
from types import SimpleNamespace

import pytest

from windrow.codec import lenient
from windrow.codec.lenient import parse_lenient

ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_document_is_what_pythons_parser_says(encoding: str) -> None:
    text = '{"ä": [1, NaN], "b": 1, "b": 2}'
    for document in (text, text.encode(encoding)):
        assert repr(parse_lenient(document)) == repr(json.loads(text))


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_nesting_is_refused_before_it_is_parsed(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lenient, "json", SimpleNamespace(detect_encoding=json.detect_encoding))
    text = "[" * 9_000
    for document in (text, text.encode(encoding)):
        with pytest.raises(ValueError, match="nested more than 100 levels deep"):
            parse_lenient(document)


@pytest.mark.parametrize("document", [b"", b"\xff", b"{", "{", b"\xef\xbb\xbf", "[1] 2"])
def test_what_is_no_json_is_a_value_error(document: bytes | str) -> None:
    with pytest.raises(ValueError, match=r"Expecting|decode|Extra data"):
        parse_lenient(document)
