"""Runs the command line in this process, as its ``main`` does, and tells how that ended."""

import json
import re
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from windrow.cli.app import main


@dataclass(frozen=True)
class Ended:
    """How a run ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on standard output."""
        assert self.code == 0, self.err
        assert self.out.endswith("}\n")
        found: dict[str, Any] = json.loads(self.out)
        return found

    @property
    def lines(self) -> list[str]:
        """What is on standard output, each run of white space as one space."""
        assert self.code == 0, self.err
        return [" ".join(line.split()) for line in self.out.splitlines()]

    @property
    def refusal(self) -> str:
        """The one line on standard error."""
        assert self.code != 0
        [line] = self.err.splitlines()
        assert line.startswith("windrow: ")
        return line.removeprefix("windrow: ")


Run = Callable[..., Ended]


def timeless(line: str) -> str:
    """Return a line with AT in place of each time."""
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "AT", line)


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: object) -> Ended:
    monkeypatch.setattr(sys, "argv", ["windrow", *map(str, arguments)])
    capsys.readouterr()
    at_ctrl_c = signal.getsignal(signal.SIGINT)
    with pytest.raises(SystemExit) as ended:
        main()
    signal.signal(signal.SIGINT, at_ctrl_c)
    shown = capsys.readouterr()
    code = ended.value.code
    return Ended(code if isinstance(code, int) else 0, shown.out, shown.err)
