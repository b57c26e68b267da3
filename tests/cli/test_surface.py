"""Errors in the words of the command line: options, files and their lines."""

import pytest

from windrow.cli.labelled_file import FileRows
from windrow.cli.surface import CliWords
from windrow.domain.errors import ClassifierExists, InvalidParameter, InvalidTestData, InvalidTrainingData
from windrow.domain.words import render

FILE = FileRows("rows.csv", ("a", "b", "c"), (2, 3, 9))


@pytest.mark.parametrize(
    ("template", "facts", "told"),
    [
        ("{arg:num_iterations} is 5000. {Send} less.", {}, "--num-iterations is 5000. Pass less."),
        ("{arg:{parameter}} is wrong", {"parameter": "require.not_worse"}, "--not-worse is wrong"),
        ("Or {set:purge}.", {}, "Or --purge."),
        ("Or {turn_on:purge}.", {}, "Or add --purge."),
        ("{Turn_on:purge}.", {}, "Add --purge."),
        ("{unset:purge}", {}, "no --purge"),
        ("Train with {set:num_iterations=0}.", {}, "Train with --num-iterations 0."),
        ("Or {no_rows} to keep none.", {}, "Or a JSON file that holds just [] to keep none."),
        ("See {see:list_jobs}.", {}, "See `windrow jobs`."),
        ("See {see:cross_validate}.", {}, "See `windrow cross-validate`."),
        ("{arg:training_data} has too few labels", {}, "the training rows has too few labels"),
        ("{name!r} is taken", {"name": "{arg:purge}"}, "'{arg:purge}' is taken"),
    ],
)
def test_parameters_are_told_as_options_and_what_a_user_wrote_as_it_is(
    template: str, facts: dict[str, object], told: str
) -> None:
    assert render(template, facts, CliWords()) == told


def test_an_option_that_turns_off_is_left_out_to_have_the_switch_on() -> None:
    template = "A classifier named {name} exists. Choose another name, or {turn_on:overwrite} to add a revision to it."
    error = ClassifierExists(template, {"name": "t_v1"})
    assert error.told(CliWords({"overwrite": "--no-overwrite"})).endswith(
        "or leave out --no-overwrite to add a revision to it."
    )
    assert error.told(CliWords({"overwrite": "--overwrite"})).endswith("or add --overwrite to add a revision to it.")
    assert render("{set:overwrite} or {unset:overwrite}", {}, CliWords({"overwrite": "--no-overwrite"})) == (
        "no --no-overwrite or --no-overwrite"
    )


def test_a_verb_may_call_a_parameter_otherwise() -> None:
    words = CliWords({"model_name": "--name", "must_pass": "--keep-must-pass", "require.must_pass": "--must-pass"})
    assert render("{arg:model_name}, {arg:must_pass}, {arg:require.must_pass}", {}, words) == (
        "--name, --keep-must-pass, --must-pass"
    )


def test_a_row_is_told_by_the_line_of_its_file() -> None:
    words = CliWords(files={"training_data": FILE})
    error = InvalidTrainingData("{place:training_data} is long. Shorten it.", {"row": 2, "field": "label"})
    assert error.told(words) == "rows.csv, line 9: the label is long. Shorten it."
    assert render("{arg:training_data} has 1 label.", {}, words) == "rows.csv has 1 label."


def test_a_row_of_rows_that_came_one_by_one_has_its_line_with_it() -> None:
    facts = {"index": 1, "file": "mails.csv", "line": 11}
    assert (
        InvalidTestData("{place:texts} is blank.", facts).told(CliWords()) == "mails.csv, line 11: the text is blank."
    )


def test_a_row_of_no_file_is_told_by_its_part_alone() -> None:
    assert (
        InvalidParameter("Of {place:texts}", {"index": 7}).told(CliWords(files={"training_data": FILE}))
        == "Of the text"
    )


def test_a_switch_with_an_option_for_either_way_is_turned_off_by_the_other_one() -> None:
    words = CliWords({"header": "--header"}, {"header": "--no-header"})
    assert render("{set:header} or {unset:header}", {}, words) == "--header or --no-header"
