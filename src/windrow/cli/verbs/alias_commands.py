"""Verbs on aliases: promote, rollback, aliases, history."""

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from windrow.cli.call import Call
from windrow.cli.exits import CHECK_FAILED
from windrow.cli.formats import given_text, when
from windrow.cli.option_parsing import with_options
from windrow.cli.options import OptionSpec
from windrow.cli.output import notes_console
from windrow.cli.tables import Column, key_columns, number, print_table
from windrow.domain.alias import (
    Alias,
    AliasChangeRequest,
    AliasHistory,
    AliasList,
    AliasRequest,
    ChangeNote,
    PromoteRequest,
    Promotion,
)
from windrow.domain.errors import InvalidParameter, PromotionRefused
from windrow.domain.figures import counted
from windrow.domain.values import recast

verbs = typer.Typer()

_EVENTS = {"promoted": "promoted", "rolled_back": "rolled back", "removed": "removed", "rows_erased": "rows erased"}


@verbs.command(
    epilog="Example: windrow promote tickets tickets_v2 --test-data test.csv --not-worse --min-recall refund=0.9"
)
@with_options(
    require_not_worse=OptionSpec(help="Only if at least as many test rows are placed right as by the present one."),
    require_min_recall=OptionSpec(
        metavar="LABEL=SHARE", help="Only if so much of a label is found; may be repeated for other labels."
    ),
    require_min_f1=OptionSpec(
        metavar="LABEL=SHARE", help="Only if the F1 of a label is at least so high; may be repeated likewise."
    ),
    require_must_pass=OptionSpec(help="Only if all of these rows are placed right."),
    must_pass=OptionSpec(
        "--keep-must-pass",
        help="The same, and on each later promotion of the alias too, until others are named. A JSON file that holds "
        "just [] keeps none.",
    ),
)
def promote(call: Call, request: PromoteRequest) -> None:
    """Point an alias at a classifier, on conditions.

    It happens at once for everybody, and only if each condition is met.

    Exit code 0: it points there. 1: a condition is not met, and nothing changed.
    """
    try:
        with call.connected() as operations:
            promotion = operations.promote(request)
    except PromotionRefused as refused:
        _print_refusal(call, refused)
        raise typer.Exit(CHECK_FAILED) from refused
    call.show(promotion, _print_promotion)


def _print_promotion(promotion: Promotion) -> None:
    for check in promotion.gate.checks:
        print(f"met: {check.detail}")
    print(f"{promotion.alias} now points to {promotion.points_to}.")


def _print_refusal(call: Call, refused: PromotionRefused) -> None:
    """Print what was found. As JSON, it is the facts of the HTTP API's problem document."""
    told, facts = refused.told(call.words), refused.facts
    if call.as_json:
        import json

        print(json.dumps({"code": refused.code, "detail": told, **facts}, ensure_ascii=False))
        return
    for check in _listed(facts.get("checks")):
        print(f"{'met' if check['passed'] else 'NOT MET'}: {check['detail']}")
    if rows := list(_listed(facts.get("failed_rows"))):
        print_table(
            rows,
            Column("text", lambda row: row["text"]),
            Column("right label", lambda row: _labels_text(row["labels"] if "labels" in row else row["label"])),
            Column("given label", lambda row: _labels_text(row["predicted"])),
        )
    # The conditions stand above.
    conditions = f"{facts.get('reason')} "
    notes_console().print(f"windrow: {told.replace(conditions, '', 1)}")


def _labels_text(labels: Any) -> str:
    """Return one label, or a set of them, or that the classifier abstained."""
    return given_text((labels,) if isinstance(labels, str) else labels)


def _listed(fact: object) -> Iterable[dict[str, Any]]:
    return fact if isinstance(fact, list) else ()


@verbs.command(epilog="Example: windrow rollback tickets --reason 'It took refunds for bills.'")
@with_options()
def rollback(call: Call, request: AliasChangeRequest) -> None:
    """Point an alias back to where it pointed before.

    Once more goes one further back.
    """
    with call.connected() as operations:
        call.show(operations.rollback(request), lambda one: print(f"{one.alias} points to {one.points_to} again."))


@verbs.command(epilog="Examples: windrow aliases; windrow aliases --remove tickets")
@with_options()
def aliases(
    call: Call,
    note: ChangeNote,
    remove: Annotated[
        str | None, typer.Option("--remove", metavar="ALIAS", help="Take this one away; its classifier stays.")
    ] = None,
) -> None:
    """List the aliases, or take one away."""
    if remove is None and note != ChangeNote():
        raise InvalidParameter("--reason and --author go with --remove ALIAS. Leave them out, or add it.")
    with call.connected() as operations:
        if remove is None:
            call.show(operations.list_aliases(), _print_aliases)
        else:
            removal = operations.remove_alias(recast(AliasChangeRequest, note, alias=remove))
            call.show(removal, lambda gone: print(f"Took {gone.alias} away. What it pointed to stays."))


def _print_aliases(listing: AliasList) -> None:
    if not listing.aliases:
        notes_console().print("There is no alias. Make one with `windrow promote ALIAS MODEL`.")
        return
    print_table(
        listing.aliases,
        Column("alias", lambda one: one.alias, no_wrap=True),
        Column("points to", lambda one: one.points_to, no_wrap=True),
        Column("since (UTC)", lambda one: when(one.changed_at), no_wrap=True, spare=2),
        *key_columns(listing.aliases, spare=4),
        Column("author", lambda one: one.author, spare=3),
        Column("reason", lambda one: one.reason, spare=1),
        Column("", _remarks),
    )


def _remarks(one: Alias) -> str:
    remarks = [] if one.answers else ["answers no more"]
    if one.must_pass:
        remarks.append(f"{counted(len(one.must_pass), 'row')} must pass")
    return "; ".join(remarks)


@verbs.command(epilog="Example: windrow history tickets")
@with_options()
def history(call: Call, request: AliasRequest) -> None:
    """Show every change of an alias: when, who and why."""
    with call.connected() as operations:
        call.show(operations.alias_history(request), _print_history)


def _print_history(history: AliasHistory) -> None:
    print_table(
        history.changes,
        number("", lambda change: str(change.number)),
        Column("when (UTC)", lambda change: when(change.at), no_wrap=True),
        Column("what", lambda change: _EVENTS[change.event], no_wrap=True, spare=1),
        Column("from", lambda change: change.points_from or "-", no_wrap=True, spare=3),
        Column("to", lambda change: change.points_to or "-", no_wrap=True),
        *key_columns(history.changes, spare=4),
        Column("author", lambda change: change.author, spare=2),
        Column("reason", lambda change: change.reason),
    )
