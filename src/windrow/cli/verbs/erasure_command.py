"""The ``forget`` command: find texts in kept training rows, and remove them."""

from pathlib import Path
from typing import Annotated

import typer

from windrow.cli.call import Call
from windrow.cli.exits import CHECK_FAILED
from windrow.cli.labelled_file import read_texts
from windrow.cli.option_parsing import with_options
from windrow.cli.options import TEXTS_HELP
from windrow.domain.erasure import Erasure, ForgetRequest
from windrow.domain.errors import InvalidParameter
from windrow.domain.figures import counted
from windrow.domain.read_options import LABEL_OPTIONS, ReadOptions

verbs = typer.Typer()
_STATUSES = {
    "found": "nothing was removed",
    "rows_removed": "the rows are removed",
    "purged": "it is purged",
    "in_use": "it is in use, so it stays",
}


@verbs.command(
    epilog="Examples: windrow forget --text-file asked-to-be-forgotten.txt; "
    "windrow forget --text-file asked-to-be-forgotten.txt --remove-rows"
)
@with_options(leave_out=LABEL_OPTIONS)
def forget(  # noqa: PLR0913 - Typer makes options of each parameter
    call: Call,
    read_options: ReadOptions,
    text_file: Annotated[Path | None, typer.Option("--text-file", metavar="FILE", help=TEXTS_HELP)] = None,
    text_sha256: Annotated[
        list[str] | None,
        typer.Option("--text-sha256", metavar="HEX", help="SHA-256 of a text in UTF-8; may be repeated."),
    ] = None,
    remove_rows: Annotated[
        bool, typer.Option("--remove-rows", help="Remove the rows; what was learned from them stays.")
    ] = False,
    purge: Annotated[
        bool, typer.Option("--purge", help="Remove the revisions that have learned from them, for good.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="With --purge: also what answers, or what an alias points to.")
    ] = False,
) -> None:
    """Find texts in the training rows that are kept, say which revisions learned from them, and remove them.

    Exit code 0: nothing of them is kept any more. 1: some are, as where nothing was to be removed, or a training that
    waits or runs has some, or may have some, and keeps them when it ends.
    """
    if remove_rows and purge:
        raise InvalidParameter("Give either --remove-rows or --purge.")
    if text_file is None and not text_sha256:
        raise InvalidParameter("Nothing is given to look for. Add --text-file FILE or --text-sha256 HEX.")
    call.words.options |= {"texts": "--text-file", "text_sha256": "--text-sha256"}
    request = ForgetRequest(
        texts=() if text_file is None else tuple(dict.fromkeys(read_texts(text_file, read_options).rows)),
        text_sha256=tuple(text_sha256 or ()),
        action="remove_rows" if remove_rows else "purge" if purge else "find",
        force=force,
    )
    with call.connected() as operations:
        erasure = operations.forget(request)
    call.show(erasure, _print_erasure)
    if not erasure.complete or erasure.unsearched_jobs:
        raise typer.Exit(CHECK_FAILED)


def _print_erasure(erasure: Erasure) -> None:
    for each in erasure.revisions:
        uses = ["answers"] if each.answers else ["deleted"] if each.deleted else []
        used = ", ".join([*uses, *(f"alias {alias}" for alias in each.aliases)])
        print(
            f"{each.model_name}@{each.revision}{f' ({used})' if used else ''} learned from "
            f"{counted(len(each.rows), 'such row')}: {_STATUSES[each.status]}."
        )
    for alias in erasure.aliases:
        print(f"The alias {alias.alias} keeps {counted(alias.rows, 'such row')}: {_STATUSES[alias.status]}.")
    if erasure.unknown:
        print(f"The rows of these are not kept, so nobody knows: {', '.join(erasure.unknown)}.")
    if not erasure.revisions and not erasure.aliases:
        print("No kept row has such a text.")
    if erasure.unsearched_jobs:
        trainings = counted(len(erasure.unsearched_jobs), "training has", "trainings have")
        print(
            f"{trainings} such rows, or may have them, and would keep them at the end, whatever is removed now: "
            f"{', '.join(erasure.unsearched_jobs)}. Look again then."
        )
