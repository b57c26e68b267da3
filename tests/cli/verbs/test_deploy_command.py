"""deploy: its options, and what is refused before a cluster is asked. tests/deployment runs it on a real one."""

from pathlib import Path

import pytest

from tests.cli.asking import Ended, Run, run


@pytest.fixture
def deploy(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def deploy(*arguments: object) -> Ended:
        return run(monkeypatch, capsys, "deploy", *arguments)

    return deploy


def test_help_names_the_options_with_their_defaults(deploy: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    shown = deploy("ray", "--help").out
    for option in ("--data-dir", "--address", "--min-replicas", "--cpus", "--status", "--delete", "--downscale-delay"):
        assert option in shown
    assert "WINDROW_PORT" in shown


def test_without_a_cluster_named_the_help_is_shown(deploy: Run) -> None:
    assert "ray" in deploy().err


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--min-replicas", 0), "--min-replicas"),
        (("--min-replicas", 3, "--max-replicas", 2), "--max-replicas"),
        (("--cpus", "-1"), "--cpus"),
        (("--target-ongoing-requests", "nan"), "--target-ongoing-requests"),
        (("--name", "a b"), "name"),
        (("--port", 70_000), "--port"),
        (("--status", "--delete"), "--status"),
        (("--data-dir", "http://bucket"), "http://bucket"),
    ],
)
def test_a_bad_option_is_refused_before_a_cluster_is_asked(deploy: Run, options: tuple[object, ...], word: str) -> None:
    refused = deploy("ray", "--data-dir", "s3://bucket/x", "--address", "127.0.0.1:1", *options)
    assert refused.code == 2
    assert word in refused.refusal


def test_a_folder_is_refused_before_a_cluster_is_asked(deploy: Run, tmp_path: Path) -> None:
    refused = deploy("ray", "--data-dir", tmp_path, "--address", "127.0.0.1:1")
    assert (refused.code, "nodes of a cluster do not share" in refused.refusal) == (2, True)


def test_an_address_of_a_store_shows_no_credentials(deploy: Run) -> None:
    refused = deploy("ray", "--data-dir", "s3://key:secret@bucket/x", "--address", "127.0.0.1:1")
    assert (refused.code, "secret" in refused.refusal) == (2, False)


@pytest.mark.slow
def test_a_cluster_that_cannot_be_reached_is_one_line_and_exit_code_4(deploy: Run) -> None:
    refused = deploy("ray", "--data-dir", "s3://bucket/x", "--address", "127.0.0.1:1")
    assert (refused.code, "127.0.0.1:1" in refused.refusal) == (4, True)
