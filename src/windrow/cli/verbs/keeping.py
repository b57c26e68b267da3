"""Verbs on the classifiers that exist: list, show, describe, delete, restore.

Owns their options and words; knows nothing of where classifiers are kept.
"""

import sys
from typing import Annotated

import typer

from windrow.cli.connect import connected
from windrow.cli.figures import one_line
from windrow.cli.formats import counted, duration, listed, share, size, when
from windrow.cli.options import AsJson, DataDir, Url
from windrow.cli.output import data_console, new_table, notes_console, print_json
from windrow.cli.tables import Listed, briefly
from windrow.cli.words import in_options
from windrow.domain.classifier import Classifier, ClassifierDetails, Deletion, NotesChange
from windrow.domain.errors import InvalidParameter
from windrow.domain.listing import SORTS, Listing, Page, Selection
from windrow.operations import Operations

verbs = typer.Typer()

Reference = Annotated[str, typer.Argument(metavar="MODEL", help="A classifier, an alias, or a revision like NAME@3.")]
Task = Annotated[
    str | None,
    typer.Option("--task", metavar="TASK", help="Only versions of this task: tickets means tickets_v1, _v2 and so on."),
]
Prefix = Annotated[str | None, typer.Option("--prefix", metavar="PREFIX", help="Only names that start with it.")]
Tag = Annotated[str | None, typer.Option("--tag", help="Only classifiers that carry this tag.")]
OnBaseModel = Annotated[
    str | None, typer.Option("--base-model", metavar="ID", help="Only classifiers on this base model.")
]


def _selection(task: str | None, prefix: str | None, tag: str | None, base_model: str | None) -> Selection:
    """Return the classifiers that options ask for; an empty one is a script's unset variable, not everything.

    Raises:
        InvalidParameter: One of them is empty.
    """
    for option, value in (("--task", task), ("--prefix", prefix), ("--tag", tag), ("--base-model", base_model)):
        if value == "":
            raise InvalidParameter(f"{option} is empty. Give it a value, or leave it out.", {"parameter": option})
    return Selection(task, prefix, tag, base_model)


@verbs.command("list", epilog="Example: windrow list --task tickets --sort -test_accuracy")
def list_classifiers(  # noqa: PLR0913 - Typer makes an option of each parameter
    url: Url = None,
    data_dir: DataDir = None,
    task: Task = None,
    prefix: Prefix = None,
    tag: Tag = None,
    base_model: OnBaseModel = None,
    sort: Annotated[
        str | None,
        typer.Option("--sort", metavar="FIELD", help=f"One of {', '.join(SORTS)}; with - before it, the reverse."),
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", help="The most classifiers; by default all.")] = None,
    deleted: Annotated[
        bool, typer.Option("--deleted", help="List the deleted classifiers that can be restored instead.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the classifiers, or a part of them."""
    page = Page(limit, None, _selection(task, prefix, tag, base_model), sort, deleted)
    with connected(url, data_dir) as operations:
        listing = operations.list_classifiers(page)
    if as_json:
        from windrow.wire.listing import show_listing

        print_json(show_listing(listing, page, full=False))
    else:
        _print_listing(listing, page)


def _print_listing(listing: Listing, page: Page) -> None:
    if not listing.classifiers:
        wanted = "deleted classifier" if page.deleted else "classifier"
        narrowed = "" if page.selection.is_everything else " of that kind"
        hint = "" if page.deleted or narrowed else " Train one with `windrow fit NAME FILE`, or see `windrow demo`."
        notes_console().print(f"There is no {wanted}{narrowed}.{hint}")
        return
    last = "deleted (UTC)" if page.deleted else "trained (UTC)"
    table = new_table(
        "name",
        "rev",
        "labels",
        "rows",
        "accuracy",
        last,
        "tags",
        right=("rev", "rows", "accuracy"),
        whole=("name", last),
        cut=("labels",),
        spare=("tags", "rev", last),
    )
    for one in listing.classifiers:
        record = one.record
        table.add_row(
            record.name,
            str(record.revision),
            briefly([one_line(label) for label in record.labels]),
            f"{record.num_examples:,}",
            _accuracy(one),
            when(one.deleted_at or record.created_at),
            ", ".join(one.notes.tags),
        )
    data_console().print(table)
    if listing.next_after is not None:
        notes_console().print("There are more. Ask for them with a higher --limit, or narrow the list.")


def _accuracy(classifier: Classifier) -> str:
    """Return the accuracy on test rows or else the estimate, marked as such; a dash where there is neither."""
    estimate = classifier.record.summary.estimate
    if classifier.test is not None:
        return share(classifier.test.accuracy)
    return "-" if estimate is None else f"~{share(estimate.accuracy)}"


@verbs.command(epilog="Example: windrow show tickets_v2@1")
def show(model: Reference, url: Url = None, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Show everything that is known about a classifier."""
    with connected(url, data_dir) as operations:
        details = operations.show(model)
    if as_json:
        from windrow.wire.classifier import ModelDetails

        print_json(ModelDetails.of(details))
    else:
        _print_details(details)


def _print_details(details: ClassifierDetails) -> None:
    from rich.table import Table

    facts = Table.grid(padding=(0, 2))
    facts.add_column(no_wrap=True)
    facts.add_column(overflow="fold")
    for what, said in [*_about(details), *_about_quality(details.classifier), *_about_training(details.classifier)]:
        facts.add_row(what, said)
    console = data_console()
    console.print(facts)
    console.print()
    console.print(_label_table(details.classifier))


def _about(details: ClassifierDetails) -> list[tuple[str, str]]:
    one = details.classifier
    revision = f"{one.record.revision}" if details.answers else f"{one.record.revision}, which does not answer by name"
    facts = [
        ("name", one.record.name),
        ("revision", revision),
        ("revisions", f"{', '.join(map(str, details.revisions))}{_gap_note(details.revisions)}"),
        ("aliases", listed(details.aliases)),
    ]
    facts += [("description", one.notes.description)] if one.notes.description else []
    facts += [("tags", listed(one.notes.tags))] if one.notes.tags else []
    if one.origin is not None:
        facts.append(("imported", f"from {one.origin.name}@{one.origin.revision}, {when(one.origin.imported_at)} UTC"))
    return [*facts, ("size", size(one.size_bytes))]


def _about_quality(one: Classifier) -> list[tuple[str, str]]:
    facts = []
    if (estimate := one.record.summary.estimate) is not None:
        low, high = share(estimate.interval.low), share(estimate.interval.high)
        said = f"{share(estimate.accuracy)}, between {low} and {high}, by cross-validation in {estimate.folds} folds"
        facts.append(("estimate", said))
    if (test := one.test) is not None:
        said = f"{share(test.accuracy)}, {test.correct} of {test.total} test rows, {when(test.measured_at)} UTC"
        facts.append(("accuracy", said))
    if (threshold := one.threshold) is not None:
        said = f"no label below a score of {threshold.abstain_below:.3f}, for {share(threshold.target_precision)} right"
        facts.append(("threshold", said))
    return facts


def _about_training(one: Classifier) -> list[tuple[str, str]]:
    record, recipe = one.record, one.record.recipe
    asked = f"{recipe.num_iterations} iterations, batch size {recipe.batch_size}, seed {recipe.seed}"
    facts = [
        ("trained", f"{when(record.created_at)} UTC, in {duration(record.training_time_s)}"),
        ("rows", f"{record.num_examples:,}, {'kept' if one.keeps_rows else 'not kept'}, SHA-256 {record.data_sha256}"),
        ("base model", f"{record.base_model.id}, digest {record.base_model.digest}"),
        ("recipe", asked + ("" if recipe.max_seconds is None else f", at most {duration(recipe.max_seconds)}")),
    ]
    facts += [] if record.summary.adapter is None else [("encoder", in_options(record.summary.adapter.reason))]
    return [*facts, *(("warning", in_options(warning.message)) for warning in record.warnings)]


def _label_table(one: Classifier) -> Listed:
    table = new_table("label", "rows", "test recall", right=("rows", "test recall"))
    for label in one.record.labels:
        rows = 0 if one.test is None else one.test.rows_per_label.get(label, 0)
        recall = one.test.correct_per_label.get(label, 0) / rows if one.test is not None and rows else None
        table.add_row(label, str(one.record.rows_per_label[label]), share(recall))
    return table


@verbs.command(epilog="Example: windrow describe tickets_v2 --description 'Tickets since May' --tag shop --tag live")
def describe(  # noqa: PLR0913 - Typer makes an option of each parameter
    model: Annotated[str, typer.Argument(metavar="NAME", help="The classifier.")],
    url: Url = None,
    data_dir: DataDir = None,
    description: Annotated[str | None, typer.Option("--description", help="What to say about it.")] = None,
    tag: Annotated[
        list[str] | None, typer.Option("--tag", help="A tag, in place of all that it has; may be repeated.")
    ] = None,
    no_tags: Annotated[bool, typer.Option("--no-tags", help="Take all its tags away.")] = False,
    as_json: AsJson = False,
) -> None:
    """Change the description or the tags of a classifier."""
    if no_tags and tag:
        raise InvalidParameter("--tag and --no-tags contradict each other. Leave one of them out.")
    tags = () if no_tags else tuple(tag) if tag else None
    if description is None and tags is None:
        raise InvalidParameter("Nothing says what to change. Give --description, --tag or --no-tags.")
    with connected(url, data_dir) as operations:
        classifier = operations.describe(model, NotesChange(description, tags))
    if as_json:
        from windrow.wire.classifier import ModelRecord

        print_json(ModelRecord.of(classifier))
    else:
        notes = classifier.notes
        print(f"{classifier.record.name}: {notes.description or 'no description'}; tags: {listed(notes.tags)}")


@verbs.command(
    epilog="Examples: windrow delete tickets_v1; windrow delete tickets_v2@1 --purge; "
    "windrow delete --prefix trial_ --dry-run"
)
def delete(  # noqa: PLR0913 - Typer makes an option of each parameter
    model: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="The classifier, or with --purge a revision like NAME@3.")
    ] = None,
    url: Url = None,
    data_dir: DataDir = None,
    task: Task = None,
    prefix: Prefix = None,
    tag: Tag = None,
    base_model: OnBaseModel = None,
    purge: Annotated[bool, typer.Option("--purge", help="Remove the files for good; nothing restores them.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Also where an alias points to it, which then answers no more.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say which a selection would delete.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Delete a whole selection without asking.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete a classifier, or all of a selection. `restore` brings it back for some days, unless --purge."""
    selection = _selection(task, prefix, tag, base_model)
    if (model is None) == selection.is_everything:
        raise InvalidParameter("Name one classifier, or a selection with --task, --prefix, --tag or --base-model.")
    with connected(url, data_dir) as operations:
        if model is None:
            if not (dry_run or yes) and not _is_confirmed(operations, selection, purge):
                raise typer.Exit
            deletion = operations.delete_all(selection, purge=purge, force=force, dry_run=dry_run)
        elif dry_run:
            raise InvalidParameter("--dry-run is for selections (--prefix …). One name says what it deletes.")
        else:
            deletion = operations.delete(model, purge=purge, force=force)
    _print_deletion(deletion, model is None, dry_run, as_json)


def _is_confirmed(operations: Operations, selection: Selection, purge: bool) -> bool:
    """Ask whether to delete a selection; where nobody can answer, refuse.

    Raises:
        InvalidParameter: Standard input is no terminal, and there is something to delete.
    """
    names = operations.delete_all(selection, dry_run=True).model_names
    if not names:
        return True
    question = f"{'Remove for good' if purge else 'Delete'} {counted(len(names), 'classifier')}: {', '.join(names)}"
    if not sys.stdin.isatty():
        raise InvalidParameter(f"{question}? Say --yes to do so, or --dry-run to only look.")
    return typer.confirm(f"{question}?", err=True)


def _print_deletion(deletion: Deletion, is_many: bool, dry_run: bool, as_json: bool) -> None:
    if as_json:
        from windrow.wire.deletion import Deleted, DeletedMany

        print_json(DeletedMany.of(deletion, dry_run) if is_many else Deleted.of(deletion))
        return
    done = "Would delete" if dry_run else "Purged" if deletion.is_purged else "Deleted"
    for name in deletion.model_names:
        print(f"{done} {name}")
    for name in deletion.skipped:
        print(f"Skipped {name}")
    notes = notes_console()
    if not deletion.model_names:
        notes.print("There is none of that kind.")
    if deletion.aliases:
        notes.print(f"Aliases that point there: {', '.join(deletion.aliases)}.")
    if deletion.is_purged and not dry_run:
        notes.print(f"That freed {size(deletion.freed_bytes)}.")
    elif not is_many:
        notes.print(f"`windrow restore {deletion.model_names[0]}` brings it back.")


@verbs.command(epilog="Examples: windrow restore tickets_v1; windrow restore tickets_v2@1")
def restore(
    model: Annotated[str, typer.Argument(metavar="NAME", help="A deleted classifier, or a revision like NAME@3.")],
    url: Url = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Bring a deleted classifier or an older revision back.

    A revision is named like NAME@3, and then is what the name means.
    """
    with connected(url, data_dir) as operations:
        classifier = operations.restore(model)
    if as_json:
        from windrow.wire.classifier import RestoreReply

        print_json(RestoreReply.of(classifier))
    else:
        print(f"{classifier.record.name} answers again, by revision {classifier.record.revision}.")


def _gap_note(revisions: tuple[int, ...]) -> str:
    """Return why numbers are missing, where some are: it looks like a loss."""
    has_gap = bool(revisions) and len(revisions) < revisions[-1]
    return " (other changes of the classifier have numbers, too)" if has_gap else ""
