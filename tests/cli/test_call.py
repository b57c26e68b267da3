"""What `--json` prints is what the HTTP API answers, for each verb; and whom a verb asks."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.cli.asking import Ended, run
from windrow.api.endpoints import ENDPOINTS
from windrow.api.examples import example_of
from windrow.api.flat import write_reply
from windrow.cli.call import Call
from windrow.cli.labelled_file import FileRows
from windrow.cli.surface import CliWords
from windrow.domain.dataset import DataWarning
from windrow.domain.errors import InvalidParameter
from windrow.domain.job import Job
from windrow.domain.listing import Listing
from windrow.domain.prediction import Prediction, PredictRequest

ENDPOINT = {endpoint.verb: endpoint for endpoint in ENDPOINTS}
# Verbs of the product, and commands that do them.
COMMANDS = [
    ("fit", "fit t_v1 ROWS"),
    ("start_fit", "fit t_v1 ROWS --detach"),
    ("estimate_fit", "fit t_v1 ROWS --dry-run"),
    ("start_predict_files", "predict-files t_v1 /srv/mails /srv/labelled"),
    ("list_jobs", "jobs"),
    ("list_jobs", "jobs list --limit 3"),
    ("job", "jobs show 1"),
    ("follow_job", "jobs watch 1"),
    ("cancel_job", "jobs cancel 1"),
    ("copy", "copy t_v1 t_v2"),
    ("classify", "classify text --labels a,b"),
    ("set_threshold", "set-threshold t_v1 0.5 --reason why"),
    ("set_threshold", "set-threshold t_v1 --clear"),
    ("predict", "predict t_v1 --text money"),
    ("predict", "predict t_v1 --also t_v2 --text money"),
    ("predict", "predict t_v1 ROWS"),
    ("evaluate", "evaluate t_v1 --test-data ROWS"),
    ("compare", "compare t_v1 t_v2 --test-data ROWS"),
    ("cross_validate", "cross-validate ROWS"),
    ("suggest", "suggest t_v1 ROWS"),
    ("list_classifiers", "list"),
    ("list_classifiers", "list --limit 2"),
    ("show", "show t_v1"),
    ("describe", "describe t_v1 --tag a"),
    ("delete", "delete t_v1 --purge"),
    ("delete_all", "delete --prefix t --yes"),
    ("restore", "restore t_v1"),
    ("promote", "promote tickets t_v1"),
    ("rollback", "rollback tickets"),
    ("remove_alias", "aliases --remove tickets --author ana"),
    ("list_aliases", "aliases"),
    ("alias_history", "history tickets"),
    ("bind", "bind team t_v1 --positive-label billing"),
    ("bind", "bindings --remove team"),
    ("list_bindings", "bindings"),
    ("import_classifier", "import FILE"),
    ("inspect", "inspect ROWS"),
    ("reproduce", "reproduce t_v1"),
    ("base_models", "base-models"),
    ("remove_base_model", "base-models --remove a/b"),
    ("usage", "usage"),
    ("fsck", "fsck --repair"),
    ("forget", f"forget --text-sha256 {'0' * 64}"),
    ("create_key", "keys create shop --scope read"),
    ("list_keys", "keys list"),
    ("limit_key", "keys limit shop --requests-per-second 5"),
    ("revoke_key", "keys revoke shop"),
    ("audit", "audit --since 7d"),
]


class Examples:
    """Answers each verb with an example."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any, Any]] = []

    def close(self) -> None:
        pass

    def __getattr__(self, verb: str) -> Any:
        def answer(*given: Any) -> Any:
            reply: Any = example_of(ENDPOINT[verb].reply)
            if isinstance(reply, Job):
                reply = replace(reply, state="succeeded", problem=None, revision=1)
            if verb == "predict":
                reply = self._predictions(*given)
            if verb == "classify":
                reply = (reply,)
            request = next((each for each in given if type(each) is ENDPOINT[verb].request), None)
            self.asked.append((verb, request, reply))
            return iter([reply]) if verb == "follow_job" else reply

        return answer

    def _predictions(self, request: PredictRequest, *_: Any) -> tuple[Prediction, ...]:
        return (example_of(Prediction),) * (len(request.all_names) * len(request.all_texts))


@pytest.fixture
def examples() -> Examples:
    return Examples()


@pytest.fixture
def print_json(
    examples: Examples,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    rows_file: Path,
    tmp_path: Path,
) -> Callable[[str], Ended]:
    """Run a command, in which ROWS and FILE stand for files."""
    monkeypatch.setattr("windrow.cli.connect.open_server", lambda url, api_key: examples)
    (tmp_path / "tickets.windrow").write_bytes(b"-")
    files = {"ROWS": rows_file, "FILE": tmp_path / "tickets.windrow"}

    def print_json(command: str) -> Ended:
        arguments = [files.get(word, word) for word in command.split()]
        return run(monkeypatch, capsys, *arguments, "--json", "--url", "http://shop.example")

    return print_json


@pytest.mark.parametrize(("verb", "command"), COMMANDS)
def test_json_is_the_document_of_the_http_api(
    examples: Examples, print_json: Callable[[str], Ended], verb: str, command: str
) -> None:
    ended = print_json(command)
    # The example of a report has damage, and that of an erasure a text that is still kept.
    assert ended.code == (1 if verb in ("fsck", "forget") else 0), ended.err
    if verb == "fit":  # which waits for its job, and then looks at what that made
        assert json.loads(ended.out)["status"] == "trained"
        return
    asked, request, reply = examples.asked[-1]
    assert asked == verb
    assert ended.out == write_reply(verb, request, reply).decode() + "\n"


def test_the_verbs_of_this_test_are_all_that_there_are() -> None:
    # An export and a page are no JSON; what a server alone has is no verb.
    assert {verb for verb, _ in COMMANDS} == set(ENDPOINT) - {"export", "report", "health", "ready"}


def test_what_is_for_people_is_printed_unless_json_is_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    Call().show(Listing(()), lambda listing: print(f"{len(listing.models)} of them"))
    assert capsys.readouterr().out == "0 of them\n"
    Call(as_json=True).show(Listing(()), lambda listing: print("no"))
    assert capsys.readouterr().out == '{"models":[],"next_cursor":null}\n'


def test_a_warning_about_rows_names_their_lines(capsys: pytest.CaptureFixture[str]) -> None:
    file = FileRows("tickets.csv", ("a", "b", "c"), (2, 5, 6))
    call = Call(words=CliWords(files={"training_data": file}))
    call.warn([DataWarning("duplicate_rows", "Two rows are the same.", (1, 2)), DataWarning("few", "Few\nrows.")])
    assert capsys.readouterr().err == "Warning: Two rows are the same. Lines: 5, 6.\nWarning: Few rows.\n"


def test_a_server_and_a_folder_are_not_asked_at_once(tmp_path: Path) -> None:
    assert Call(url="http://shop.example").server == "http://shop.example"
    assert Call(data_dir=str(tmp_path)).server == ""
    with pytest.raises(InvalidParameter, match="only one of them"):
        _ = Call(url="http://shop.example", data_dir=str(tmp_path)).server
