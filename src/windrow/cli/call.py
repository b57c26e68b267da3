"""The context of one CLI command: its connection to a server or data directory, and how it prints the reply."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from windrow.cli.connect import connected, resolve_server_url
from windrow.cli.formats import one_line
from windrow.cli.output import notes_console
from windrow.cli.surface import CliWords
from windrow.domain.dataset import DataWarning

if TYPE_CHECKING:
    from windrow.operations import Operations

R = TypeVar("R")
# The warning about what is left out of a file, which is told when the file is read.
_TOLD: Final = "rows_left_out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """The options that every command has."""

    url: str | None = field(default=None, metadata={"setting": "url"})
    data_dir: str | None = field(default=None, metadata={"setting": "data_dir"})
    api_key_file: Path | None = field(default=None, metadata={"setting": "api_key_file"})
    as_json: bool = False
    """Print one JSON document, the same as the HTTP API's."""
    words: CliWords = field(default_factory=CliWords)
    """Renders error messages with the command's options and files."""

    @property
    def server(self) -> str:
        """The address of the server; empty where the data directory is used without one."""
        return resolve_server_url(self.url, self.data_dir)

    @property
    def lines(self) -> Sequence[int]:
        """The line at which each row of the only input file begins, from 1."""
        (file,) = self.words.files.values()
        return file.lines

    @contextmanager
    def connected(self, *, doing: str = "", may_create: bool = False, **changes: object) -> "Iterator[Operations]":
        """Connect to the server or open the data directory, and close it at the end.

        Args:
            doing: The text beside the spinner in a terminal; empty for no spinner.
            may_create: Whether to create a data directory that does not exist.
            changes: Settings to override, by name, if a data directory is used.

        Raises:
            InvalidParameter: Both are named, or there is no such data directory.
            Unavailable: The server cannot be reached.
        """
        connection = connected(self.url, self.data_dir, self.api_key_file, may_create=may_create, **changes)
        with connection as operations, _working(doing):
            yield operations

    def show(self, reply: R, tell: Callable[[R], object], verb: str = "", request: object = None) -> None:
        """Print a reply: as JSON with ``--json``, else as text.

        Args:
            reply: The reply.
            tell: Prints it as text.
            verb: The operation that returned it, if its JSON depends on the request.
            request: The request, likewise.
        """
        if self.as_json:
            from windrow.api.flat import write_reply

            sys.stdout.write(write_reply(verb, request, reply).decode() + "\n")
        else:
            tell(reply)

    def with_file_warnings(self, reply: R) -> R:
        """Return a reply with what to know about the rows that were left out of the files.

        Args:
            reply: A reply with warnings.
        """
        of_files = tuple(each for file in self.words.files.values() for each in file.warnings)
        if not of_files:
            return reply
        warned = cast(Any, reply)
        return cast(R, replace(warned, warnings=(*warned.warnings, *of_files)))

    def warn(self, warnings: Iterable[DataWarning], taken_over_rows: int = 0) -> None:
        """Print warnings about the training or test rows, with the lines of the affected rows.

        What was left out of a file is not among them: it was told when the file was read.

        Args:
            warnings: The warnings.
            taken_over_rows: How many rows, of no file, come before those of the file.
        """
        notes = notes_console()
        for warning in warnings:
            if warning.code == _TOLD:
                continue
            of_file = [row - taken_over_rows for row in warning.rows if row >= taken_over_rows]
            lines = f" Lines: {', '.join(str(self.lines[row]) for row in of_file)}." if of_file else ""
            kept = ", ".join(str(row) for row in warning.rows if row < taken_over_rows)
            rest = f" Kept rows, counted from 0: {kept}." if kept else ""
            notes.print(f"Warning: {one_line(warning.message)}{lines}{rest}")


@contextmanager
def _working(words: str) -> Iterator[None]:
    """Show a spinner in a terminal."""
    console = notes_console() if words else None
    if console is None or not console.is_terminal:
        yield
        return
    with console.status(f"{words} …"):
        yield
