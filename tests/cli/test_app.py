"""How a run of the command line ends, in this process and as a process of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cli.asking import Run, run
from tests.toy import Toy
from windrow import __version__


def start(*arguments: str, variables: Mapping[str, str] | None = None) -> "subprocess.Popen[str]":
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WINDROW_")}
    return subprocess.Popen(
        [sys.executable, "-m", "windrow", *arguments],
        env={**environment, **(variables or {})},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def outcome(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


@pytest.mark.slow
def test_version_is_the_packages_version() -> None:
    assert outcome(start("--version")) == (0, f"windrow {__version__}\n", "")


@pytest.mark.slow
def test_help_imports_nothing_heavy() -> None:
    program = "import sys, windrow.cli.app; print(*sys.modules)"
    loaded = set(subprocess.check_output([sys.executable, "-c", program], text=True).split())
    heavy = {
        "fastapi",
        "pydantic",
        "numpy",
        "onnxruntime",
        "torch",
        "uvicorn",
        "structlog",
        "rich",
        "asyncio",
        "urllib3",
    }
    assert not loaded & heavy


@pytest.mark.slow
def test_without_a_verb_the_help_is_shown_and_nothing_is_on_stdout() -> None:
    code, out, err = outcome(start())
    assert (code, out) == (2, "")
    assert err.startswith("Usage: ")


@pytest.mark.slow
def test_shell_completion_completes_verbs_and_options() -> None:
    def complete(words: str, place: int) -> str:
        variables = {"_WINDROW_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(place)}
        program = "import sys; sys.argv = ['windrow']; from windrow.cli.app import main; main()"
        done = subprocess.run(
            [sys.executable, "-c", program], env={**os.environ, **variables}, capture_output=True, text=True
        )
        assert done.stderr == ""
        return done.stdout

    assert complete("windrow pro", 1).split() == ["promote"]
    assert "--num-iterations" in complete("windrow fit --num", 2).split()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("list", "--jsn"), "No such option: --jsn (Possible options: --json). See `windrow list --help`."),
        (("fit",), "Missing argument 'NAME'. See `windrow fit --help`."),
        (("list", "--data-dir", "/nowhere"), "/nowhere is no data directory"),
    ],
)
def test_wrong_words_are_one_line_and_exit_code_2(arguments: tuple[str, ...], said: str) -> None:
    code, out, err = outcome(start(*arguments))
    assert (code, out) == (2, "")
    [line] = err.splitlines()
    assert line.startswith(f"windrow: {said}")


def test_an_unexpected_error_is_one_line_unless_somebody_wants_more(ask: Run, toy: Toy) -> None:
    def usage() -> None:
        raise ZeroDivisionError("division\nby zero")

    toy.usage = usage  # type: ignore[assignment, method-assign]
    defect = ask("usage")
    assert defect.code == 5
    assert defect.refusal.startswith("this is a defect of Windrow: ZeroDivisionError: division by zero.")
    more = ask("--traceback", "usage")
    assert more.code == 5
    assert "Traceback" in more.err


def test_ctrl_c_is_one_line_and_exit_code_130(ask: Run, toy: Toy, left: list[str]) -> None:
    def usage() -> None:
        raise KeyboardInterrupt

    toy.usage = usage  # type: ignore[assignment, method-assign]
    stopped = ask("usage")
    assert stopped.code == 130
    assert stopped.refusal == "stopped; nothing is left half done."
    assert left == ["left"]


@pytest.mark.slow
def test_ctrl_c_stops_a_process_that_waits_for_its_input(tmp_path: Path) -> None:
    process = start("--traceback", "fit", "tickets_v1", "-", "--data-dir", str(tmp_path / "data"))
    assert process.stdin is not None
    # Once this much is written, the process must have begun to read.
    process.stdin.write("text,label\n" + "I want my money back,refund\n" * 50_000)
    process.stdin.flush()
    process.send_signal(signal.SIGINT)
    code, out, err = outcome(process)
    assert (code, out) == (130, "")
    assert err == "windrow: stopped; nothing is left half done.\n"
    assert not (tmp_path / "data").exists()


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["fsck", "usage", "base-models"])
def test_a_reader_that_has_seen_enough_ends_it_silently(tmp_path: Path, verb: str) -> None:
    (tmp_path / "aliases").mkdir()
    process = start(verb, "--data-dir", str(tmp_path))
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert process.wait(timeout=60) == 141
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.stdin is not None
    process.stdin.close()


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("verb", ["fsck", "usage"])
def test_a_full_disk_below_standard_output_is_told_as_such(tmp_path: Path, verb: str) -> None:
    (tmp_path / "aliases").mkdir()
    with Path("/dev/full").open("w") as full:
        process = subprocess.run(
            [sys.executable, "-m", "windrow", verb, "--data-dir", str(tmp_path)],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert process.returncode == 5
    [line] = process.stderr.splitlines()
    assert line.startswith("windrow: Standard output cannot be written: no space left on device.")


def test_sigterm_ends_a_verb_as_ctrl_c_does(ask: Run, toy: Toy, left: list[str]) -> None:
    before = signal.getsignal(signal.SIGTERM)

    def usage() -> None:
        signal.raise_signal(signal.SIGTERM)

    toy.usage = usage  # type: ignore[assignment, method-assign]
    stopped = ask("usage")
    assert (stopped.code, left) == (130, ["left"])
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_server_keeps_a_way_of_its_own_to_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[object] = []
    monkeypatch.setattr("windrow.http.server.serve", lambda *arguments: seen.append(signal.getsignal(signal.SIGTERM)))
    before = signal.getsignal(signal.SIGTERM)
    run(monkeypatch, capsys, "serve")
    assert seen == [before]


def test_an_error_names_options(ask: Run) -> None:
    refused = ask("list", "--sort", "foo")
    assert refused.code == 2
    assert refused.refusal.startswith("--sort is 'foo', which is no order. Pass one of ")


@pytest.mark.slow
def test_data_is_utf_8_whatever_the_language_of_the_machine(tmp_path: Path) -> None:
    (tmp_path / "aliases" / "é").mkdir(parents=True)
    process = subprocess.run(
        [sys.executable, "-m", "windrow", "fsck", "--data-dir", str(tmp_path)],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
    )
    assert "é".encode() in process.stdout, process.stderr


def test_a_bad_variable_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for variable, value, said in (
        ("WINDROW_PORT", "many", "WINDROW_PORT='many'"),
        ("WINDROW_PROT", "1", "WINDROW_PROT is no setting"),
    ):
        with monkeypatch.context() as patched:
            patched.setenv(variable, value)
            refused = run(patched, capsys, "usage")
        assert refused.code == 2
        assert said in refused.refusal
