"""Verbs on bindings: bind, bindings."""

from typing import Annotated

import typer

from windrow.cli.call import Call
from windrow.cli.formats import when
from windrow.cli.option_parsing import with_options
from windrow.cli.options import OptionSpec
from windrow.cli.output import notes_console
from windrow.cli.tables import Column, key_columns, print_table
from windrow.domain.binding import Binding, BindingChange, BindingList, BindRequest

verbs = typer.Typer()


@verbs.command(
    epilog="Examples: windrow bind team tickets; windrow bind is-urgent tickets_v2 --positive-label urgent; "
    "windrow bind anger mood_v1 --level calm --level annoyed --level furious"
)
@with_options(
    question=OptionSpec(metavar="QUESTION"),
    model_name=OptionSpec(
        is_argument=True, help="What answers it: a classifier's name, an alias, a revision (name@3) or task@latest."
    ),
    positive_label=OptionSpec(metavar="LABEL"),
    levels=OptionSpec("--level", metavar="LABEL"),
)
def bind(call: Call, request: BindRequest) -> None:
    """Have a classifier answer questions of a name, in requests of other servers' formats."""
    with call.connected() as operations:
        call.show(operations.bind(request), _print_change)


@verbs.command(epilog="Examples: windrow bindings; windrow bindings --remove team")
@with_options()
def bindings(
    call: Call,
    remove: Annotated[
        str | None, typer.Option("--remove", metavar="QUESTION", help="Take this one away; its classifier stays.")
    ] = None,
) -> None:
    """List which classifiers answer which questions, or take a binding away."""
    with call.connected() as operations:
        if remove is None:
            call.show(operations.list_bindings(), _print_bindings)
        else:
            call.show(operations.bind(BindRequest(remove)), _print_change)


def _print_change(change: BindingChange) -> None:
    bound = change.binding
    if bound is None:
        print(f"The question {change.question} is bound to no classifier.")
    else:
        print(f"{bound.model_name} now answers the question {change.question}.")


def _print_bindings(listing: BindingList) -> None:
    if not listing.bindings:
        notes_console().print("No question is bound. Bind one with `windrow bind QUESTION MODEL`.")
        return
    print_table(
        listing.bindings,
        Column("question", lambda one: one.question),
        Column("answered by", lambda one: one.model_name, no_wrap=True),
        Column("labels", _labels, spare=1),
        Column("since (UTC)", lambda one: when(one.bound_at), no_wrap=True, spare=2),
        *key_columns(listing.bindings, spare=3),
    )


def _labels(one: Binding) -> str:
    positive = [] if one.positive_label is None else [f"true: {one.positive_label}"]
    return "; ".join([*positive, *([" < ".join(one.levels)] if one.levels else [])])
