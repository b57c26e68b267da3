from pathlib import Path

import pytest

from tests.cli.asking import run
from windrow.cli.verbs.mcp_command import _address
from windrow.domain.errors import InvalidParameter


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8808", ("127.0.0.1", 8808)),
        ("[::1]:0", ("::1", 0)),
        ("tools.example.org:65535", ("tools.example.org", 65535)),
    ],
)
def test_an_address_has_a_host_and_a_port(text: str, address: tuple[str, int]) -> None:
    assert _address(text) == address


@pytest.mark.parametrize("text", ["8808", ":8808", "host", "host:65536", "::1:8808", "http://host:1", ""])
def test_any_other_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidParameter, match=r"Name a host and a port, like 127\.0\.0\.1:8808"):
        _address(text)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("--allow-overwrites", "--allow-overwrites goes beyond --allow-changes. Name both."),
        ("--data-dir {folder}/none", "is no data directory: it does not exist"),
        ("--data-dir {folder}/none --http 127.0.0.1:0", "is no data directory: it does not exist"),
        ("--url http://127.0.0.1:1 --api-key-file {folder}/key --http 127.0.0.1:0", "--api-key-file is not used"),
    ],
)
def test_options_that_do_not_fit_are_refused_with_what_to_do(
    options: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ended = run(monkeypatch, capsys, "mcp", *options.format(folder=tmp_path).split())
    assert ended.code == 2
    assert told in ended.err
