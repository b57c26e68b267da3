"""What was typed becomes a request, with the rows of files in it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command

from windrow.cli.call import Call
from windrow.cli.option_parsing import with_options
from windrow.cli.options import OptionSpec
from windrow.cli.surface import CliWords
from windrow.domain.alias import PromoteRequest
from windrow.domain.classifier import FitRequest
from windrow.domain.dataset import Row
from windrow.domain.errors import InvalidParameter
from windrow.domain.gate import Requirement
from windrow.domain.suggestion import SuggestRequest

ROWS = (Row("I want my money back", "refund"), Row("Please return what I paid", "refund"))
Typed = Callable[..., tuple[Any, Call]]


def run(function: Callable[..., None], words: CliWords, *arguments: object) -> None:
    app = typer.Typer()
    app.command()(function)
    get_command(app)([str(each) for each in arguments], standalone_mode=False, obj=words)


@pytest.fixture
def fit() -> Typed:
    """Return the request and the call that arguments are read as."""

    def fit(*arguments: object, overwrite: str = "") -> tuple[FitRequest, Call]:
        seen: list[tuple[FitRequest, Call]] = []

        @with_options(overwrite=OptionSpec(overwrite))
        def verb(call: Call, request: FitRequest, extra: int = 3) -> None:
            assert extra == 3
            seen.append((request, call))

        run(verb, CliWords(), *arguments)
        return seen[0]

    return fit


def test_a_request_has_what_was_typed_and_the_rows_of_the_file(fit: Typed, rows_file: Path) -> None:
    request, call = fit(
        "t_v1", rows_file, "--seed", 7, "--tag", "a", "--tag", "b", "--no-overwrite", "--url", "http://x"
    )
    assert (request.model_name, request.seed, request.tags, request.overwrite) == ("t_v1", 7, ("a", "b"), False)
    assert request.training_data[:2] == ROWS
    assert (call.url, call.data_dir, call.as_json) == ("http://x", None, False)
    assert list(call.lines) == [2, 3, 4, 5]
    assert call.words.argument("training_data") == str(rows_file)


def test_what_was_not_typed_has_the_default_of_the_request(fit: Typed, rows_file: Path) -> None:
    request, _ = fit("t_v1", rows_file)
    assert request == FitRequest(model_name="t_v1", training_data=request.training_data)


def test_how_a_file_is_read_is_said_by_options_of_every_such_verb(fit: Typed, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("what;team\nI want my money back;refund\n")
    request, _ = fit("t_v1", file, "--text-column", "what", "--label-column", "team")
    assert request.training_data == ROWS[:1]


def test_errors_are_told_with_the_names_that_the_verb_has(fit: Typed, rows_file: Path) -> None:
    _, call = fit("t_v1", rows_file, overwrite="--keep")
    assert call.words.argument("overwrite") == "--keep"
    assert call.words.argument("cross_validate") == "--no-cross-validate"
    assert call.words.argument("model_name") == "NAME"


def test_texts_are_read_from_a_file_without_labels(tmp_path: Path) -> None:
    file = tmp_path / "pile.txt"
    file.write_text("one\ntwo\n")
    seen: list[SuggestRequest] = []

    @with_options()
    def verb(call: Call, request: SuggestRequest) -> None:
        seen.append(request)

    run(verb, CliWords(), "t_v1", file, "-n", 2)
    assert seen == [SuggestRequest("t_v1", ("one", "two"), 2)]
    with pytest.raises(Exception, match="--label-column"):
        run(verb, CliWords(), "t_v1", file, "--label-column", "x")


@pytest.fixture
def promote() -> Callable[..., PromoteRequest]:
    """Return the request that arguments are read as."""

    def promote(*arguments: object) -> PromoteRequest:
        seen: list[PromoteRequest] = []

        @with_options(must_pass=OptionSpec("--keep-must-pass"))
        def verb(call: Call, request: PromoteRequest) -> None:
            seen.append(request)

        run(verb, CliWords(), "tickets", "tickets_v2", *arguments)
        return seen[0]

    return promote


def test_a_dataclass_in_a_request_is_made_where_something_was_typed_for_it(
    promote: Callable[..., PromoteRequest], rows_file: Path
) -> None:
    assert promote("--reason", "Better.").require is None
    request = promote(
        "--test-data", rows_file, "--not-worse", "--min-recall", "refund=0.9", "--keep-must-pass", rows_file
    )
    assert request.require == Requirement(test_data=request.must_pass or (), not_worse=True, min_recall={"refund": 0.9})
    assert request.must_pass is not None
    assert request.must_pass[:2] == ROWS


@pytest.mark.parametrize("said", ["refund", "refund=often", "refund=1.5", "=0.5", "refund=nan"])
def test_what_is_no_label_and_share_is_refused(promote: Callable[..., PromoteRequest], said: str) -> None:
    with pytest.raises(InvalidParameter, match=r"--min-recall refund=0\.9"):
        promote("--min-recall", said)


@pytest.mark.parametrize(("option", "value"), [("--num-iterations", 5_000), ("--seed", -1), ("--batch-size", 1)])
def test_what_lies_outside_its_range_is_refused_before_a_file_is_read(fit: Typed, option: str, value: int) -> None:
    with pytest.raises(InvalidParameter) as refused:
        fit("t_v1", "nowhere.csv", option, value)
    assert refused.value.told(CliWords()).startswith(f"{option} is {value}; it must lie between ")
