"""The ``predict-files`` command: have a server classify files that lie where it is."""

import typer

from windrow.cli.call import Call
from windrow.cli.option_parsing import with_options
from windrow.cli.options import OptionSpec
from windrow.cli.verbs.job_commands import print_job
from windrow.domain.errors import InvalidParameter
from windrow.domain.file_prediction import StartPredictFilesRequest
from windrow.domain.read_options import LABEL_OPTIONS

verbs = typer.Typer()


@verbs.command(
    name="predict-files",
    epilog="Examples: windrow predict-files tickets_v1 '/srv/mails/*.csv' /srv/labelled --url http://localhost:14345; "
    "windrow predict-files tickets_v1 's3://mails/2025/*.parquet' s3://mails/labelled",
)
@with_options(
    leave_out=LABEL_OPTIONS,
    input=OptionSpec(
        metavar="INPUT",
        help="What the server reads: a whole path of a file, a folder or a pattern on its machine, or an address in an "
        "object store.",
    ),
    output=OptionSpec(
        metavar="OUTPUT", help="The folder that it writes to, likewise; each shard of rows becomes a file in it."
    ),
    output_format=OptionSpec("--to"),
    min_in_scope=OptionSpec(metavar="SHARE"),
    scores=OptionSpec(help="Add the scores of all labels to each row, or with --top-k of the best ones."),
    output_encoding=OptionSpec(metavar="NAME"),
    escape_formulas=OptionSpec(
        help="Put an apostrophe before each cell of CSV and TSV that begins with =, +, -, @, a tab or a carriage "
        "return and is no number, so that no spreadsheet runs it."
    ),
    decimal_comma=OptionSpec(
        help="Write new numbers in CSV and TSV with a comma before their decimals, as a German Excel reads them."
    ),
    note_bad_rows=OptionSpec(
        help="Leave a row whose text is blank or too long without a label, and say why in a column note, rather than "
        "end at the first one."
    ),
    overwrite=OptionSpec(
        help="Begin anew where another run wrote to the folder, rather than go on with a run like this one and refuse "
        "any other."
    ),
)
def predict_files(call: Call, request: StartPredictFilesRequest) -> None:
    """Have the server classify each row of files that lie where it is, as a job, and print the job.

    The server reads and writes only below its WINDROW_FILE_ROOTS. Started again as it was, a job that broke off goes on
    behind its last shard. Files of your own machine, windrow predict classifies.
    """
    if not call.server:
        raise InvalidParameter(
            "predict-files needs a server: without one, this process is what classifies, as windrow predict does. Name "
            "a server with --url."
        )
    with call.connected() as operations:
        print_job(call, operations.start_predict_files(request))
