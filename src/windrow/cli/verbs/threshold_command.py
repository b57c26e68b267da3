"""The verb that sets or clears the score below which a classifier gives no label: set-threshold."""

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from windrow.cli.call import Call
from windrow.cli.formats import one_line, share, when
from windrow.cli.option_parsing import with_options
from windrow.domain.alias import ChangeNote
from windrow.domain.errors import InvalidParameter
from windrow.domain.threshold import SetThresholdRequest, Threshold, ThresholdChange, ThresholdUpdate
from windrow.domain.values import recast

if TYPE_CHECKING:
    from windrow.domain.report import Report

verbs = typer.Typer()


@verbs.command(
    "set-threshold",
    epilog="Examples: windrow set-threshold tickets_v2 0.7 --reason 'Sure answers only'; "
    "windrow set-threshold tickets_v2 --clear",
)
@with_options()
def set_threshold(
    call: Call,
    note: ChangeNote,
    model: Annotated[
        str, typer.Argument(metavar="NAME", help="The classifier, or its revision that answers, like NAME@3.")
    ],
    abstain_below: Annotated[
        float | None, typer.Argument(metavar="[SCORE]", help="The lowest score that is answered, from 0 to 1.")
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Clear it: a label for every text.")] = False,
) -> None:
    """Set the score below which a classifier gives no label, or clear it. `show` lists every change."""
    if clear == (abstain_below is not None):
        raise InvalidParameter("Give either the lowest SCORE that is answered, or --clear.")
    request = recast(SetThresholdRequest, note, model_name=model, abstain_below=abstain_below)
    with call.connected() as operations:
        update = operations.set_threshold(request)
    call.show(update, lambda update: _print_update(call, update))


def set_command(report: "Report") -> str | None:
    """Return the command that sets what an evaluation proposes; ``None`` where there is nothing to set."""
    found = report.proposed_threshold
    if found is None or found.abstain_below == 0:
        return None
    reason = f"{found.correct} of {found.answered} right, for {share(found.target_precision)}"
    model = f"{report.model_name}@{report.revision}"
    return f"windrow set-threshold {model} {found.abstain_below!r} --reason {shlex.quote(reason)}"


def threshold_text(threshold: Threshold | None) -> str:
    """Return what a threshold does, in words."""
    return "none" if threshold is None else f"no label below a score of {threshold.abstain_below:.3f}"


def change_text(change: ThresholdChange) -> str:
    """Return one change of a threshold: when, from what to what, who and why."""
    before, after = ("none" if each is None else f"{each.abstain_below:.3f}" for each in (change.before, change.after))
    said = ": ".join(filter(None, map(one_line, (change.author, change.reason))))
    return f"{when(change.at)} UTC, from {before} to {after}{', ' if said else ''}{said}"


def _print_update(call: Call, update: ThresholdUpdate) -> None:
    about = f"{update.model_name}@{update.revision}"
    has = "has no threshold" if update.threshold is None else f"gives {threshold_text(update.threshold)}"
    before = "" if update.status == "unchanged" else f" Before: {threshold_text(update.before)}."
    print(f"{about} {has}{', as before' if update.status == 'unchanged' else ' from now on'}.{before}")
    call.warn(update.warnings)
