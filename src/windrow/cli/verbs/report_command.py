"""The ``report`` command: an evaluation as one HTML page."""

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from windrow.cli.call import Call
from windrow.cli.option_parsing import with_options
from windrow.cli.options import ROWS_HELP, OptionSpec
from windrow.cli.written_files import DASH, check_absent, check_destination, write_reply
from windrow.domain.report_page import ReportRequest

verbs = typer.Typer()


@verbs.command(epilog="Example: windrow report tickets_v2 test.csv --out report.html")
@with_options(
    test_data=OptionSpec("--test-data", help=ROWS_HELP, or_argument=True),
    save=OptionSpec(help="Do not keep the score with the classifier."),
)
def report(
    call: Call,
    request: ReportRequest,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="FILE", help="Where to write it: by default NAME@REVISION.html; - for stdout."
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that exists.")] = False,
) -> None:
    """Evaluate a classifier, and write the result as one HTML page to keep and pass on.

    The page needs no other file, runs no script and asks no other host for anything. It shows the texts of
    misclassified rows.
    """
    check_destination(call, out)
    if out not in (None, DASH):  # before minutes of work, which keeps a score
        check_absent(out, overwrite=overwrite)
    with call.connected(doing="Classifying the rows") as operations, closing(operations.report(request)) as page:
        write_reply(call, page, out, overwrite=overwrite)
