"""The commands that manage trained classifiers: list, show, describe, delete, restore."""

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from windrow.cli.call import Call
from windrow.cli.formats import duration, estimate_text, extension_text, listed, one_line, recipe_text, size, when
from windrow.cli.option_parsing import days, with_options
from windrow.cli.options import OptionSpec
from windrow.cli.output import notes_console
from windrow.cli.tables import Column, join_truncated, number, print_facts, print_table
from windrow.cli.verbs.threshold_command import change_text, threshold_text
from windrow.display.tables import between
from windrow.domain.classifier import (
    BulkDeletion,
    Classifier,
    ClassifierDetails,
    DeleteRequest,
    Deletion,
    DescribeRequest,
    ModelRequest,
    RestoreRequest,
)
from windrow.domain.errors import InvalidParameter
from windrow.domain.figures import counted, percent
from windrow.domain.listing import SORTS, DeleteAllRequest, Listing, ListRequest, check_selection

if TYPE_CHECKING:
    from windrow.operations import Operations

verbs = typer.Typer()


@verbs.command("list", epilog="Example: windrow list --task tickets --sort -test_accuracy")
@with_options(
    leave_out=("cursor", "full", "unused_days"),
    limit=OptionSpec(help="The most classifiers; by default all."),
    sort=OptionSpec(metavar="FIELD", help=f"One of {', '.join(SORTS)}; with - before it, the reverse."),
)
def list_classifiers(
    call: Call,
    request: ListRequest,
    unused: Annotated[
        str | None,
        typer.Option("--unused", metavar="DAYS", help="Only those that gave no prediction for so many days: 30d."),
    ] = None,
) -> None:
    """List the classifiers, or a part of them."""
    check_selection(request)
    call.words.options["unused_days"] = "--unused"
    request = replace(request, unused_days=days(unused, "--unused", "unused_days"))
    with call.connected() as operations:
        listing = operations.list_classifiers(request)
        call.show(listing, lambda listing: _print_listing(listing, request), "list_classifiers", request)


def _print_listing(listing: Listing, request: ListRequest) -> None:
    if not listing.models:
        kind = "deleted classifier" if request.deleted else "classifier"
        narrowed = "" if request.is_everything and request.unused_days is None else " of that kind"
        hint = "" if request.deleted or narrowed else " Train one with `windrow fit NAME FILE`, or see `windrow demo`."
        notes_console().print(f"There is no {kind}{narrowed}.{hint}")
        return
    asks_for_use = request.unused_days is not None
    used: Column[Classifier] = Column(
        "used (UTC)",
        lambda one: when(one.last_used_at) if one.last_used_at or asks_for_use else "",
        no_wrap=True,
        spare=0 if asks_for_use else 4,
    )
    kind_of: Column[Classifier] = Column("kind", lambda one: one.kind.replace("_", "-"), no_wrap=True, spare=2)
    print_table(
        listing.models,
        Column("name", lambda one: one.name, no_wrap=True),
        *([kind_of] if any(one.kind == "multi_label" for one in listing.models) else ()),
        number("rev", lambda one: str(one.revision), spare=2),
        Column("labels", lambda one: join_truncated(one.labels), cut=True),
        number("rows", lambda one: f"{one.num_examples:,}"),
        number("accuracy", _accuracy),
        Column(
            "deleted (UTC)" if request.deleted else "trained (UTC)",
            lambda one: when(one.deleted_at or one.created_at),
            no_wrap=True,
            spare=1,
        ),
        *([used] if asks_for_use or any(one.last_used_at for one in listing.models) else ()),
        Column("tags", lambda one: ", ".join(one.tags), spare=3),
    )
    if listing.next_cursor is not None:
        notes_console().print("There are more. Ask for them with a higher --limit, or narrow the list.")


def _accuracy(one: Classifier) -> str:
    """Return the accuracy on test rows, or else the estimate, marked as such, with its interval; else a dash."""
    estimate = one.report.estimate
    if one.test is not None or estimate is None:
        return percent(one.test_accuracy)
    # With few rows the estimate is uncertain, so the interval goes with it.
    return f"~{percent(estimate.accuracy)} ({between(estimate.interval)})"


@verbs.command(epilog="Example: windrow show tickets_v2@1")
@with_options()
def show(call: Call, request: ModelRequest) -> None:
    """Show everything that is known about a classifier."""
    with call.connected() as operations:
        call.show(operations.show(request), _print_details)


def _print_details(details: ClassifierDetails) -> None:
    print_facts(*_about(details), *_about_quality(details), *_about_training(details))
    print()
    _print_labels(details)


def _about(one: ClassifierDetails) -> list[tuple[str, str]]:
    origin = one.origin and f"from {one.origin.name}@{one.origin.revision}, {when(one.origin.imported_at)} UTC"
    return [
        ("name", one.name),
        ("kind", one.kind.replace("_", "-")),
        ("revision", f"{one.revision}" if one.answers else f"{one.revision}, which does not answer by name"),
        ("revisions", f"{', '.join(map(str, one.revisions))}{_gap_note(one.revisions)}"),
        ("aliases", listed(one.aliases)),
        ("description", one.description),
        ("tags", ", ".join(one.tags)),
        ("came", origin or ""),
        ("by key", one.key_name or ""),
        ("used", _use(one)),
        ("size", size(one.size_bytes)),
    ]


def _use(one: Classifier) -> str:
    if one.last_used_at is None:
        return ""
    return f"{when(one.last_used_at)} UTC; {counted(one.recent_predictions, 'prediction')} in the last 30 days"


def _about_quality(one: Classifier) -> list[tuple[str, str]]:
    facts = []
    if (estimate := one.report.estimate) is not None:
        facts.append(("estimate", f"{estimate_text(estimate)}, by cross-validation in {estimate.folds} folds"))
    if (test := one.test) is not None:
        result = f"{percent(test.accuracy)}, {test.correct} of {test.total} test rows, {when(test.measured_at)} UTC"
        facts.append(("accuracy", result))
    if (threshold := one.threshold) is not None:
        facts.append(("threshold", threshold_text(threshold, one.kind)))
    facts += [("threshold change", change_text(change, one.kind)) for change in one.threshold_changes]
    return facts


def _about_training(one: Classifier) -> list[tuple[str, str]]:
    kept = "some erased" if one.training_data_erased else "kept" if one.keeps_training_data else "not kept"
    rows = f"{one.num_examples:,}, {kept}" if one.learned_from_rows else "none"
    limit = "" if one.max_seconds is None else f", at most {duration(one.max_seconds)}"
    return [
        ("trained", f"{when(one.created_at)} UTC, in {duration(one.training_time_seconds)}"),
        ("source", "names and descriptions of its labels alone" if not one.learned_from_rows else ""),
        ("rows", f"{rows}, SHA-256 {one.training_data_sha256}"),
        ("extends", extension_text(one)),
        ("base model", f"{one.base_model}, digest {one.base_model_digest}"),
        # Of names and descriptions alone, nothing is trained.
        ("recipe", "" if one.source == "zero_shot" else f"{recipe_text(one)}{limit}"),
        ("encoder", "" if one.adapter is None else one.adapter.reason),
        *(("warning", warning.message) for warning in one.warnings),
    ]


def _print_labels(one: Classifier) -> None:
    def recall(label: str) -> float | None:
        rows = 0 if one.test is None else one.test.rows_per_label.get(label, 0)
        return one.test.correct_per_label.get(label, 0) / rows if one.test is not None and rows else None

    def described(label: str) -> str:
        return one_line(one.label_descriptions.get(label, ""))

    thresholds = one.thresholds_by_label
    print_table(
        one.labels,
        Column("label", lambda label: label),
        *([number("given from", lambda label: f"{thresholds[label]:.3f}")] if thresholds else []),
        number("rows", lambda label: str(one.rows_per_label[label])),
        number("test recall", lambda label: percent(recall(label))),
        *([Column("description", described, spare=2)] if any(one.label_descriptions.values()) else []),
    )


@verbs.command(epilog="Example: windrow describe tickets_v2 --description 'Tickets since May' --tag shop --tag live")
@with_options(tags=OptionSpec("--tag", metavar="TAG", help="A tag, in place of all that it has; may be repeated."))
def describe(
    call: Call,
    request: DescribeRequest,
    no_tags: Annotated[bool, typer.Option("--no-tags", help="Take all its tags away.")] = False,
) -> None:
    """Change the description or the tags of a classifier."""
    if no_tags and request.tags:
        raise InvalidParameter("--tag and --no-tags contradict each other. Leave one of them out.")
    if no_tags:
        request = replace(request, tags=())
    if request.description is None and request.tags is None:
        raise InvalidParameter("Nothing says what to change. Give --description, --tag or --no-tags.")
    with call.connected() as operations:
        one = operations.describe(request)
    call.show(one, lambda one: print(f"{one.name}: {one.description or 'no description'}; tags: {listed(one.tags)}"))


@verbs.command(
    epilog="Examples: windrow delete tickets_v1; windrow delete tickets_v2@1 --purge; "
    "windrow delete --prefix trial_ --dry-run"
)
@with_options(dry_run=OptionSpec(help="Only say which a selection would delete."))
def delete(
    call: Call,
    request: DeleteAllRequest,
    model: Annotated[
        str | None, typer.Argument(metavar="NAME", help="The classifier, or with --purge a revision like NAME@3.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Delete a whole selection without asking.")] = False,
) -> None:
    """Delete a classifier, or all of a selection. `restore` brings it back for some days, unless --purge."""
    check_selection(request)
    if (model is None) == request.is_everything:
        raise InvalidParameter("Name one classifier, or a selection with --task, --prefix, --tag or --base-model.")
    if model is not None and request.dry_run:
        raise InvalidParameter("--dry-run is for selections (--prefix …). One name says what it deletes.")
    with call.connected() as operations:
        if model is not None:
            one = operations.delete(DeleteRequest(model, purge=request.purge, force=request.force))
            call.show(one, _print_deletion)
        elif request.dry_run or yes or _is_confirmed(operations, request):
            call.show(operations.delete_all(request), _print_bulk_deletion)


def _is_confirmed(operations: "Operations", request: DeleteAllRequest) -> bool:
    """Ask for confirmation to delete a selection; without a terminal, refuse.

    Raises:
        InvalidParameter: Standard input is no terminal, and there is something to delete.
    """
    names = operations.delete_all(replace(request, purge=False, force=False, dry_run=True)).model_names
    if not names:
        return True
    question = f"{'Remove for good' if request.purge else 'Delete'} {counted(len(names), 'classifier')}: "
    if not sys.stdin.isatty():
        raise InvalidParameter(
            "{question}{names:joined}? Say --yes to do so, or --dry-run to only look.",
            {"question": question, "names": list(names)},
        )
    return typer.confirm(f"{question}{', '.join(names)}?", err=True)


def _print_deletion(one: Deletion) -> None:
    print(f"{'Purged' if one.purged else 'Deleted'} {one.model_name}")
    freed, restore = f"That freed {size(one.freed_bytes)}.", f"`windrow restore {one.model_name}` brings it back."
    notes_console().print(freed if one.purged else restore)


def _print_bulk_deletion(deletion: BulkDeletion) -> None:
    is_done, notes = deletion.status == "deleted", notes_console()
    done = ("Purged" if deletion.purged else "Deleted") if is_done else "Would delete"
    for name in deletion.model_names:
        print(f"{done} {name}")
    for name in deletion.skipped:
        print(f"Skipped {name}")
    if not deletion.model_names:
        notes.print("There is none of that kind.")
    if deletion.aliases:
        notes.print(f"Aliases that point there: {', '.join(deletion.aliases)}.")
    if deletion.purged and is_done:
        notes.print(f"That freed {size(deletion.freed_bytes)}.")


@verbs.command(epilog="Examples: windrow restore tickets_v1; windrow restore tickets_v2@1")
@with_options(model_name=OptionSpec(metavar="NAME", help="A deleted classifier, or a revision like NAME@3."))
def restore(call: Call, request: RestoreRequest) -> None:
    """Bring a deleted classifier or an older revision back.

    A revision is named like NAME@3, and then is what the name means.
    """
    with call.connected() as operations:
        restored = operations.restore(request)
        call.show(restored, lambda one: print(f"{one.name} answers again, by revision {one.revision}."))


def _gap_note(revisions: tuple[int, ...]) -> str:
    """Explain gaps in the revision numbers, which look like lost revisions; empty without gaps."""
    has_gap = bool(revisions) and len(revisions) < revisions[-1]
    return " (other changes of the classifier have numbers, too)" if has_gap else ""
