"""The ``set-threshold`` command: set or clear the scores from which a classifier gives labels."""

import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Final

import typer

from windrow.cli.call import Call
from windrow.cli.formats import one_line, when
from windrow.cli.option_parsing import with_options
from windrow.domain.alias import ChangeNote
from windrow.domain.errors import InvalidParameter
from windrow.domain.figures import percent
from windrow.domain.prediction import Kind
from windrow.domain.threshold import (
    SetThresholdRequest,
    Threshold,
    ThresholdChange,
    ThresholdUpdate,
    check_set_threshold_request,
)
from windrow.domain.values import recast

if TYPE_CHECKING:
    from windrow.domain.report import Report

verbs = typer.Typer()

_NOTHING_SET: Final[Mapping[Kind, str]] = {"single_label": "none", "multi_label": "those of the training"}


@verbs.command(
    "set-threshold",
    epilog="Examples: windrow set-threshold tickets_v2 0.7 --reason 'Sure answers only'; "
    "windrow set-threshold mails_v1 --label billing=0.4 --label urgent=0.25; windrow set-threshold tickets_v2 --clear",
)
@with_options()
def set_threshold(  # noqa: PLR0913 - Typer makes options of each parameter
    call: Call,
    note: ChangeNote,
    model: Annotated[
        str, typer.Argument(metavar="NAME", help="The classifier, or its revision that answers, like NAME@3.")
    ],
    abstain_below: Annotated[
        float | None, typer.Argument(metavar="SCORE", help="The lowest score that is answered, from 0 to 1.")
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LABEL=SCORE",
            help="Of a multi-label classifier: give this label from this score on; may be repeated. The score follows "
            "the last equals sign, so the label may hold one too.",
        ),
    ] = None,
    clear: Annotated[
        bool, typer.Option("--clear", help="Clear all of it: a label for every text, or as the training chose.")
    ] = False,
) -> None:
    """Set the score below which a classifier gives no label, and those of its labels, or clear them.

    Both are set at once: what is left out returns to what the training chose. `show` lists every change.
    """
    if clear == (abstain_below is not None or bool(label)):
        raise InvalidParameter(
            "Give either the lowest SCORE that is answered, or --label LABEL=SCORE with a multi-label classifier, or "
            "--clear."
        )
    call.words.options |= {"abstain_below": "SCORE", "label_thresholds": "--label"}
    label_thresholds = _label_thresholds(label) if label else None
    request = recast(
        SetThresholdRequest, note, model_name=model, abstain_below=abstain_below, label_thresholds=label_thresholds
    )
    # By the verb as well, but a number that is none cannot even be sent to a server.
    check_set_threshold_request(request)
    with call.connected() as operations:
        update = operations.set_threshold(request)
    call.show(update, lambda update: _print_update(call, update))


def format_set_threshold(report: "Report") -> str | None:
    """Return the shell command that sets the threshold proposed by an evaluation; ``None`` without a proposal."""
    proposed = report.proposed_threshold
    if proposed is None or proposed.abstain_below == 0:
        return None
    reason = f"{proposed.correct} of {proposed.answered} right, for {percent(proposed.target_precision)}"
    model = f"{report.model_name}@{report.revision}"
    return f"windrow set-threshold {model} {proposed.abstain_below!r} --reason {shlex.quote(reason)}"


def threshold_text(threshold: Threshold | None, kind: Kind) -> str:
    """Describe the effect of a threshold of a classifier of a kind."""
    if threshold is None:
        return _NOTHING_SET[kind]
    own = threshold.label_thresholds
    effects = [f"{one_line(label)} from a score of {score:.3f}" for label, score in own.items()]
    if threshold.abstain_below or not own:
        effects.append(f"no label below a score of {threshold.abstain_below:.3f}")
    return ", ".join(effects)


def change_text(change: ThresholdChange, kind: Kind) -> str:
    """Describe a change of a threshold of a classifier of a kind: time, old and new value, author and reason."""
    before, after = (_short(each, kind) for each in (change.before, change.after))
    note = ": ".join(filter(None, map(one_line, (change.author, change.reason))))
    key = "" if change.key_name is None else f", by key {change.key_name}"
    return f"{when(change.at)} UTC, from {before} to {after}{key}{', ' if note else ''}{note}"


def _short(threshold: Threshold | None, kind: Kind) -> str:
    if threshold is None:
        return _NOTHING_SET[kind]
    own = threshold.label_thresholds
    least = [f"{threshold.abstain_below:.3f}"] if threshold.abstain_below or not own else []
    return ", ".join([*least, *(f"{one_line(label)} {score:.3f}" for label, score in own.items())])


def _label_thresholds(typed: Sequence[str]) -> dict[str, float]:
    """Return thresholds by label, from ``LABEL=SCORE`` each.

    Raises:
        InvalidParameter: One is no such pair, or a label comes again.
    """
    found: dict[str, float] = {}
    for each in typed:
        label, threshold = _label_threshold(each)
        if label in found:
            raise InvalidParameter(
                "--label {typed!r} names a label again. Give each label once.",
                {"parameter": "label_thresholds", "typed": each},
            )
        found[label] = threshold
    return found


def _label_threshold(typed: str) -> tuple[str, float]:
    """Return a label and its threshold from ``LABEL=SCORE``; the label may hold the sign too."""
    label, _, score = typed.rpartition("=")
    try:
        return label, float(score)
    except ValueError:
        raise InvalidParameter(
            "--label {typed!r} is no LABEL=SCORE. Give a label and a score, like billing=0.4.",
            {"parameter": "label_thresholds", "typed": typed},
        ) from None


def _print_update(call: Call, update: ThresholdUpdate) -> None:
    model = f"{update.model_name}@{update.revision}"
    kind: Kind = "multi_label" if update.label_thresholds else "single_label"
    cleared = "gives each label as its training chose" if update.label_thresholds else "has no threshold"
    has = cleared if update.threshold is None else f"gives {threshold_text(update.threshold, kind)}"
    before = "" if update.status == "unchanged" else f" Before: {threshold_text(update.before, kind)}."
    print(f"{model} {has}{', as before' if update.status == 'unchanged' else ' from now on'}.{before}")
    call.warn(update.warnings)
