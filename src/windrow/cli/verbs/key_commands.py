"""Verbs on API keys: create, list, limit, revoke."""

from dataclasses import replace
from typing import Annotated

import typer

from windrow.cli.call import Call
from windrow.cli.formats import when
from windrow.cli.option_parsing import days, with_options
from windrow.cli.options import OptionSpec
from windrow.cli.output import notes_console
from windrow.cli.tables import Column, print_table
from windrow.domain.access import SCOPES, ApiKey, CreatedKey, CreateKeyRequest, KeyList, KeyRequest
from windrow.domain.clock import utc_now
from windrow.domain.key_limits import LIMITS, LimitKeyRequest

verbs = typer.Typer()
keys = typer.Typer(
    help="Create, list, limit and revoke API keys.",
    epilog="Example: windrow keys create shop --scope predict --only 'tickets*' --expires 90d",
    no_args_is_help=True,
    rich_markup_mode=None,
)
verbs.add_typer(keys, name="keys")


@keys.command(epilog="Example: windrow keys create shop --scope predict --only 'tickets*' --expires 90d")
@with_options(
    leave_out=["expires_in_days"],
    scopes=OptionSpec(
        "--scope", metavar="SCOPE", help=f"What it may do: {', '.join(SCOPES)}; may be repeated for others."
    ),
    only=OptionSpec(
        metavar="PATTERN", help="Only classifiers and aliases of such names, like 'tickets_*'; may be repeated."
    ),
)
def create(
    call: Call,
    request: CreateKeyRequest,
    expires: Annotated[
        str | None, typer.Option("--expires", metavar="DAYS", help="Days for which it is valid: 90d.")
    ] = None,
) -> None:
    """Create a key, and print it this once.

    It stands alone on standard output, so that a file can take it. From the first key on, every request to a server on
    this data directory needs one.
    """
    call.words.options["expires_in_days"] = "--expires"
    request = replace(request, expires_in_days=days(expires, "--expires", "expires_in_days"))
    with call.connected(may_create=True) as operations:
        call.show(operations.create_key(request), _print_created)


def _print_created(created: CreatedKey) -> None:
    until = "it is revoked" if created.expires_at is None else f"{when(created.expires_at)} UTC"
    notes_console().print(
        f"The key {created.name} ({_may(created)}) is valid until {until}. It is shown this once; keep it safe.",
        markup=False,
    )
    print(created.key)


def _may(key: ApiKey) -> str:
    names = f", only {', '.join(key.only)}" if key.only else ""
    return f"{', '.join(key.scopes)}{names}"


@keys.command("list", epilog="Example: windrow keys list --data-dir my-classifiers")
@with_options()
def list_keys(call: Call) -> None:
    """List the keys, also those that are no longer valid."""
    with call.connected() as operations:
        call.show(operations.list_keys(), _print_keys)


def _print_keys(listing: KeyList) -> None:
    if not listing.keys:
        notes_console().print("There is no key, so a server on this data directory needs none.")
        return
    now = utc_now()
    print_table(
        listing.keys,
        Column("key", lambda key: key.name, no_wrap=True),
        Column("state", lambda key: key.state(now), no_wrap=True),
        Column("scopes", lambda key: ", ".join(key.scopes)),
        Column("only", lambda key: ", ".join(key.only)),
        Column(
            "limits", lambda key: "" if all(getattr(key, each) is None for each in LIMITS) else _limits(key), spare=4
        ),
        Column("hint", lambda key: key.hint, no_wrap=True, spare=1),
        Column("created (UTC)", lambda key: when(key.created_at), no_wrap=True, spare=3),
        Column(
            "expires (UTC)",
            lambda key: "" if key.expires_at is None else when(key.expires_at),
            no_wrap=True,
            spare=2,
        ),
    )


@keys.command(epilog="Example: windrow keys limit shop --requests-per-second 5 --texts-per-day 100000")
@with_options()
def limit(call: Call, request: LimitKeyRequest) -> None:
    """Set all limits of a key.

    What is left out is what the server's settings say.
    """
    with call.connected() as operations:
        call.show(operations.limit_key(request), lambda key: print(f"The key {key.name} has {_limits(key)}."))


def _limits(key: ApiKey) -> str:
    own = [(name, getattr(key, name)) for name in LIMITS]
    told = [f"{name} {f'{limit:,}' if limit else 'unlimited'}" for name, limit in own if limit is not None]
    return ", ".join(told) or "the limits that the server's settings say"


@keys.command(epilog="Example: windrow keys revoke shop")
@with_options()
def revoke(call: Call, request: KeyRequest) -> None:
    """Revoke a key, for every server of the data directory.

    Within a second, none of them accepts it.
    """
    with call.connected() as operations:
        call.show(operations.revoke_key(request), lambda revoked: print(f"The key {revoked.name} is revoked."))
