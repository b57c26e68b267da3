"""Verbs on aliases: promote, rollback, aliases, history.

Owns their options and words; knows nothing of how a switch is made atomic.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from windrow.cli.connect import connected
from windrow.cli.exits import NO
from windrow.cli.figures import one_line
from windrow.cli.formats import counted, when
from windrow.cli.options import AsJson, DataDir, Url
from windrow.cli.output import data_console, new_table, notes_console, print_json
from windrow.cli.reading_options import Encoding, FileFormat, LabelColumn, NoHeader, TextColumn
from windrow.cli.words import in_options
from windrow.domain.alias import Alias, AliasChange, PromoteRequest, Promotion, Said
from windrow.domain.dataset import Row
from windrow.domain.errors import InvalidParameter, PromotionRefused
from windrow.domain.gate import Requirement

if TYPE_CHECKING:
    from windrow.cli.reading import Reading

verbs = typer.Typer()

AliasName = Annotated[str, typer.Argument(metavar="ALIAS", help="The alias.")]
Reason = Annotated[str, typer.Option("--reason", metavar="WORDS", help="Why, for the history.")]
By = Annotated[str, typer.Option("--by", metavar="WHO", help="Who, for the history; nobody checks it.")]

_EVENTS = {"promoted": "promoted", "rolled_back": "rolled back", "removed": "removed"}


@verbs.command(
    epilog="Example: windrow promote tickets tickets_v2 --test-data test.csv --not-worse --min-recall refund=0.9"
)
def promote(  # noqa: PLR0913 - Typer makes an option of each parameter
    alias: Annotated[str, typer.Argument(metavar="ALIAS", help="The alias; a new one is made.")],
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="A classifier, a revision like NAME@3, or TASK@latest.")
    ],
    url: Url = None,
    data_dir: DataDir = None,
    test_data: Annotated[
        Path | None, typer.Option("--test-data", metavar="FILE", help="Labelled rows to look at before.")
    ] = None,
    not_worse: Annotated[
        bool,
        typer.Option("--not-worse", help="Only if at least as many test rows are placed right as by the present one."),
    ] = False,
    min_recall: Annotated[
        list[str] | None,
        typer.Option(
            "--min-recall", metavar="LABEL=SHARE", help="Only if so much of a label is found; may be repeated."
        ),
    ] = None,
    must_pass: Annotated[
        Path | None, typer.Option("--must-pass", metavar="FILE", help="Only if all of these rows are placed right.")
    ] = None,
    keep_must_pass: Annotated[
        Path | None,
        typer.Option(
            "--keep-must-pass", metavar="FILE", help="The same, and on each later promotion of the alias too."
        ),
    ] = None,
    text_column: TextColumn = None,
    label_column: LabelColumn = None,
    file_format: FileFormat = None,
    encoding: Encoding = None,
    no_header: NoHeader = False,
    reason: Reason = "",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Point an alias at a classifier, on conditions.

    It happens at once for everybody, and only if each condition is met.

    Exit code 0: it points there. 1: a condition is not met, and nothing changed.
    """
    from windrow.cli.reading import Reading

    how = Reading(file_format, text_column, label_column, not no_header, encoding)
    recalls = dict(_recall(said) for said in min_recall or ())
    require = Requirement(_rows(test_data, how), not_worse, _rows(must_pass, how), recalls)
    kept = None if keep_must_pass is None else _rows(keep_must_pass, how)
    try:
        with connected(url, data_dir) as operations:
            promotion = operations.promote(PromoteRequest(alias, model, Said(reason, by), require, kept))
    except PromotionRefused as refused:
        _print_refusal(refused, as_json)
        raise typer.Exit(NO) from refused
    if as_json:
        from windrow.wire.alias import PromoteReply

        print_json(PromoteReply.of(promotion))
    else:
        _print_promotion(promotion)


def _rows(path: Path | None, how: "Reading") -> tuple[Row, ...]:
    if path is None:
        return ()
    from windrow.cli.labelled import read_labelled

    return read_labelled(path, how).rows


def _recall(said: str) -> tuple[str, float]:
    """Return the label and the share of ``LABEL=SHARE``.

    Raises:
        InvalidParameter: It is something else.
    """
    label, _, number = said.rpartition("=")
    try:
        least = float(number)
    except ValueError:
        least = -1.0
    if not label or not 0 <= least <= 1:
        raise InvalidParameter(
            f"--min-recall {said} is no label and share. Write it like --min-recall refund=0.9.",
            {"parameter": "min_recall"},
        )
    return label, least


def _print_promotion(promotion: Promotion) -> None:
    for check in promotion.gate.checks:
        print(f"met: {in_options(check.detail)}")
    print(f"{promotion.alias.name} now points to {promotion.alias.points_to}.")


def _print_refusal(refused: PromotionRefused, as_json: bool) -> None:
    """Print what was found. As JSON, it is the facts of the HTTP API's problem document."""
    if as_json:
        import json

        print(json.dumps({"code": refused.code, "detail": refused.detail, **refused.facts}, ensure_ascii=False))
        return
    facts = refused.facts
    checks, rows = facts.get("checks"), facts.get("failed_rows")
    for check in checks if isinstance(checks, list) else ():
        print(f"{'met' if check['passed'] else 'NOT MET'}: {in_options(check['detail'])}")
    if isinstance(rows, list) and rows:
        table = new_table("text", "right label", "given label")
        for row in rows:
            table.add_row(one_line(row["text"]), one_line(row["label"]), one_line(row["predicted"] or "none"))
        data_console().print(table)
    notes_console().print(f"windrow: {in_options(refused.detail)}")


@verbs.command(epilog="Example: windrow rollback tickets --reason 'It took refunds for bills.'")
def rollback(  # noqa: PLR0913 - Typer makes an option of each parameter
    alias: AliasName,
    url: Url = None,
    data_dir: DataDir = None,
    reason: Reason = "",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Point an alias back to where it pointed before.

    Once more goes one further back.
    """
    with connected(url, data_dir) as operations:
        changed = operations.rollback(alias, Said(reason, by))
    if as_json:
        from windrow.wire.alias import RollbackReply

        print_json(RollbackReply.of(changed))
    else:
        print(f"{changed.name} points to {changed.points_to} again.")


@verbs.command(epilog="Examples: windrow aliases; windrow aliases --remove tickets")
def aliases(  # noqa: PLR0913 - Typer makes an option of each parameter
    url: Url = None,
    data_dir: DataDir = None,
    remove: Annotated[
        str | None, typer.Option("--remove", metavar="ALIAS", help="Take this one away; its classifier stays.")
    ] = None,
    reason: Reason = "",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """List the aliases, or take one away."""
    if remove is not None:
        _remove(remove, url, data_dir, Said(reason, by), as_json)
        return
    if reason or by:
        raise InvalidParameter("--reason and --by go with --remove ALIAS. Leave them out, or add it.")
    with connected(url, data_dir) as operations:
        found = operations.list_aliases()
    if as_json:
        from windrow.wire.alias import AliasList

        print_json(AliasList.of(found))
    else:
        _print_aliases(found)


def _remove(alias: str, url: str | None, data_dir: Path | None, said: Said, as_json: bool) -> None:
    with connected(url, data_dir) as operations:
        operations.remove_alias(alias, said)
    if as_json:
        from windrow.wire.alias import AliasDeleted

        print_json(AliasDeleted(alias=alias))
    else:
        print(f"Took {alias} away. What it pointed to stays.")


def _print_aliases(found: tuple[Alias, ...]) -> None:
    if not found:
        notes_console().print("There is no alias. Make one with `windrow promote ALIAS MODEL`.")
        return
    table = new_table(
        "alias",
        "points to",
        "since (UTC)",
        "by",
        "reason",
        "",
        whole=("alias", "points to", "since (UTC)"),
        spare=("by", "since (UTC)", "reason"),
    )
    for alias in found:
        remarks = [] if alias.answers else ["answers no more"]
        if alias.must_pass:
            remarks.append(f"{counted(len(alias.must_pass), 'row')} must pass")
        said = alias.said
        table.add_row(
            alias.name, str(alias.points_to), when(alias.changed_at), said.by, said.reason, "; ".join(remarks)
        )
    data_console().print(table)


@verbs.command(epilog="Example: windrow history tickets")
def history(alias: AliasName, url: Url = None, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Show every change of an alias: when, who and why."""
    with connected(url, data_dir) as operations:
        changes = operations.alias_history(alias)
    if as_json:
        from windrow.wire.alias import AliasHistory

        print_json(AliasHistory.of(alias, changes))
    else:
        _print_history(changes)


def _print_history(changes: tuple[AliasChange, ...]) -> None:
    table = new_table(
        "",
        "when (UTC)",
        "what",
        "from",
        "to",
        "by",
        "reason",
        right=("",),
        whole=("when (UTC)", "what", "from", "to"),
        spare=("from", "by", "what"),
    )
    for change in changes:
        table.add_row(
            str(change.number),
            when(change.at),
            _EVENTS[change.event],
            str(change.points_from or "-"),
            str(change.points_to or "-"),
            change.said.by,
            change.said.reason,
        )
    data_console().print(table)
