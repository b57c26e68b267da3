"""The options that say how a file of rows is read, alike for every verb that reads one.

Owns their words; knows nothing of files.
"""

from typing import Annotated

import typer

from windrow.cli.reading import Format

TextColumn = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="The column (in JSON: the key) with the text, if its name does not say so."),
]
LabelColumn = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="The column (in JSON: the key) with the label, if its name does not say so."),
]
FileFormat = Annotated[
    Format | None,
    typer.Option("--format", help="What the file is, if its name does not say so.", show_default=False),
]
Encoding = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="The encoding of the file, such as cp1252; UTF-8 if left out."),
]
NoHeader = Annotated[
    bool,
    typer.Option("--no-header", help="The first line of the CSV or TSV is a row; the columns are called 1, 2, …."),
]
