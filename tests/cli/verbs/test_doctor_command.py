"""windrow doctor: a line for each check, a verdict, and an exit code."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.asking import Ended, run
from windrow import __version__
from windrow.diagnosis import run as runner
from windrow.domain.diagnosis import Check
from windrow.settings import Settings

OK = Check("clock", "ok", "It is right.")
WARNING = Check("disk room", "warning", "Little is left.\nFree some.")
FAILED = Check("data", "failed", "It is damaged.")


@pytest.fixture
def doctor(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> "Doctor":
    return Doctor(monkeypatch, capsys)


class Doctor:
    """The command, with checks that are given, and the settings that it was given."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        self.settings: Settings | None = None

    def __call__(self, *arguments: str, checks: tuple[Check, ...] = ()) -> Ended:
        def diagnose(settings: Settings) -> Iterator[Check]:
            self.settings = settings
            yield from checks

        self._monkeypatch.setattr(runner, "diagnose", diagnose)
        return run(self._monkeypatch, self._capsys, "doctor", *arguments)


def test_each_check_is_one_line_and_the_last_one_is_the_verdict(doctor: Doctor) -> None:
    ended = doctor(checks=(OK, WARNING))
    assert ended.out.splitlines() == [
        "ok       clock: It is right.",
        "warning  disk room: Little is left. Free some.",
        f"Windrow {__version__}: 2 checks, 1 warning, 0 failed: healthy.",
    ]
    assert ended.code == 0


def test_where_a_check_failed_the_exit_code_says_so(doctor: Doctor) -> None:
    ended = doctor(checks=(OK, FAILED))
    assert ended.out.splitlines()[1:] == [
        "failed   data: It is damaged.",
        f"Windrow {__version__}: 2 checks, 0 warnings, 1 failed: NOT HEALTHY.",
    ]
    assert ended.code == 1


def test_as_json_it_is_one_document(doctor: Doctor) -> None:
    ended = doctor("--json", checks=(OK, FAILED))
    assert json.loads(ended.out) == {
        "version": __version__,
        "checks": [
            {"name": "clock", "state": "ok", "detail": "It is right."},
            {"name": "data", "state": "failed", "detail": "It is damaged."},
        ],
        "healthy": False,
    }
    assert ended.code == 1


def test_the_data_directory_can_be_named(doctor: Doctor, tmp_path: Path) -> None:
    doctor("--data-dir", str(tmp_path))
    assert doctor.settings is not None
    assert doctor.settings.data_dir == tmp_path


def test_a_server_that_the_other_commands_ask_is_said_not_to_be_checked(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WINDROW_URL", "http://windrow.example:14345")
    ended = doctor(checks=(OK,))
    assert "WINDROW_URL names a server, but doctor checks this machine" in " ".join(ended.err.split())
    assert ended.code == 0
    assert doctor("--data-dir", str(tmp_path), checks=(OK,)).err == ""


def test_settings_that_are_wrong_end_it_before_any_check(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINDROW_PORT", "many")
    ended = doctor(checks=(OK,))
    assert ended.code == 2
    assert "WINDROW_PORT" in ended.err
    assert "clock" not in ended.out
