"""The ``classify`` command: classify a text without a classifier, by names and descriptions of labels."""

from dataclasses import replace

import typer

from windrow.cli.call import Call
from windrow.cli.formats import given_text
from windrow.cli.label_descriptions import (
    LABEL_DESCRIPTION,
    LABEL_DESCRIPTIONS_FILE,
    DescribedLabels,
    read_descriptions,
)
from windrow.cli.option_parsing import with_options
from windrow.cli.options import OptionSpec
from windrow.cli.output import data_console, notes_console
from windrow.cli.tables import Column, number, print_table
from windrow.domain.classification import Classification, ClassifyRequest
from windrow.domain.quality_warnings import TRUNCATED_TEXT

_BAR_CELLS = 20

verbs = typer.Typer()


@verbs.command(
    epilog='Examples: windrow classify "I was charged twice" --labels billing,technical,account; '
    'windrow classify "The app is down" --labels billing,urgent --multi-label '
    '--label-description urgent="It cannot wait"'
)
@with_options(
    leave_out=("texts", "label_descriptions"),
    label_description=LABEL_DESCRIPTION,
    label_descriptions_file=LABEL_DESCRIPTIONS_FILE,
    text=OptionSpec(is_argument=True, metavar="TEXT", help="The text to classify."),
    labels=OptionSpec(
        "--labels", metavar="LABELS", help="The labels to choose from, with commas between; may be repeated."
    ),
    multi_label=OptionSpec(help="Let any number of the labels apply, each with a score by itself."),
    hypothesis_template=OptionSpec(metavar="SENTENCE"),
    model=OptionSpec(
        metavar="ID", help="The base model that answers; in the place of one that is not there, the default one does."
    ),
)
def classify(
    call: Call,
    request: ClassifyRequest,
    described: DescribedLabels,
) -> None:
    """Classify a text without a classifier, by how similar it is to the names and descriptions of labels.

    Nothing is trained. A classifier that has seen a few rows of each label is mostly right more often.
    """
    call.words.options["label_descriptions"] = "--label-description"
    labels = tuple(label.strip() for group in request.labels for label in group.split(","))
    request = replace(request, labels=labels, label_descriptions=read_descriptions(described))
    with call.connected(may_create=True) as operations:
        answers = operations.classify(request)
    call.warn(answers[0].warnings)
    call.show(answers, lambda alone: _print_answer(alone[0]), "classify", request)


def _print_answer(answer: Classification) -> None:
    console = data_console()
    given = (answer.labels or ()) if answer.label is None else (answer.label,)
    console.print(f"{given_text(given)}  (by {answer.model})")
    print_table(
        sorted(answer.scores.items(), key=lambda pair: -pair[1]),
        Column("label", lambda pair: pair[0]),
        number("score", lambda pair: f"{pair[1]:.3f}"),
        Column("", lambda pair: "█" * round(pair[1] * _BAR_CELLS)),
    )
    if answer.truncated:
        notes_console().print(f"Warning: {TRUNCATED_TEXT}")
