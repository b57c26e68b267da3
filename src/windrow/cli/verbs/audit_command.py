"""The ``audit`` command: who changed what, and which API keys were refused."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Final

import typer

from windrow.cli.call import Call
from windrow.cli.formats import when
from windrow.cli.option_parsing import with_options
from windrow.cli.options import OptionSpec
from windrow.cli.output import notes_console
from windrow.cli.tables import Column, print_table
from windrow.domain.audit import AuditLine, AuditRequest, AuditTrail
from windrow.domain.clock import utc_now
from windrow.domain.errors import InvalidParameter
from windrow.domain.figures import counted

verbs = typer.Typer()
_AGO: Final = re.compile(r"([0-9]{1,6})([dh])")
_DAY_OR_TIME: Final = re.compile(r"\d{4}-")


@verbs.command(epilog="Example: windrow audit --since 7d --target tickets")
@with_options(
    leave_out=["since"],
    key_name=OptionSpec("--key", metavar="NAME"),
    target=OptionSpec(metavar="NAME"),
    verb=OptionSpec(metavar="VERB"),
    cursor=OptionSpec(metavar="CURSOR", help="Go on with older lines, as the note below the last ones says."),
)
def audit(
    call: Call,
    request: AuditRequest,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="WHEN", help="Only since then: 7d, 12h, 2025-09-15 or 2025-09-15T10:30:00Z."),
    ] = None,
) -> None:
    """Show who changed what, and which API keys were refused, the newest first."""
    call.words.options["since"] = "--since"
    request = replace(request, since=None if since is None else _moment(since))
    with call.connected() as operations:
        call.show(operations.audit(request), _print_trail)


def _moment(text: str) -> str:
    """Return what was typed as the verb has it; days and hours count back from now.

    Raises:
        InvalidParameter: It is nothing of the kind.
    """
    if (match := _AGO.fullmatch(text.strip())) is None:
        if _DAY_OR_TIME.match(text) is None:
            raise InvalidParameter(
                "{arg:since} takes days or hours back (7d, 12h), a day like 2025-09-15 or a time like "
                "2025-09-15T10:30:00Z.",
                {"parameter": "since"},
            )
        return text
    try:
        at = utc_now() - timedelta(**{"d": {"days": int(match[1])}, "h": {"hours": int(match[1])}}[match[2]])
    except OverflowError:  # long before there were computers
        return "1970-01-01"
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _print_trail(trail: AuditTrail) -> None:
    notes = notes_console()
    if not trail.lines:
        notes.print("There is no such line.")
    else:
        print_table(
            trail.lines,
            Column("when (UTC)", lambda line: when(line.at), no_wrap=True),
            Column("key", lambda line: line.key_name or "-", no_wrap=True),
            Column("from", lambda line: line.address or line.user or "", no_wrap=True, spare=1),
            Column("verb", lambda line: line.verb, no_wrap=True),
            Column("target", lambda line: line.target, no_wrap=True),
            Column("change", _change, spare=2),
            Column("outcome", _outcome),
        )
    if trail.unreadable_files:
        notes.print(
            f"{counted(trail.unreadable_files, 'file')} of the trail cannot be read. `windrow fsck` names them."
        )
    if trail.next_cursor is not None:
        notes.print(f"There are older lines. Add --cursor {trail.next_cursor}, or ask for more by --limit.")


def _change(line: AuditLine) -> str:
    if (line.points_from, line.points_to) != (None, None):
        return f"{line.points_from or '-'} to {line.points_to or '-'}"
    if (line.revision_before, line.revision_after) == (None, None):
        return ""
    before, after = ("-" if each is None else str(each) for each in (line.revision_before, line.revision_after))
    return f"revision {after}" if before == after else f"revision {before} to {after}"


def _outcome(line: AuditLine) -> str:
    return line.outcome if line.count == 1 else f"{line.outcome} ({line.count:,} times)"
