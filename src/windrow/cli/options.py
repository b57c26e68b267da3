"""Options of the command line, as dataclasses declare them: requests of the domain, and shared options.

A field without a default is an argument, unless its option is named; each other one is an option: ``num_iterations`` is
``--num-iterations``, a switch that is off by default ``--purge``, one that is on ``--no-overwrite``. A tuple may be
repeated; labelled rows and texts are a file. What a field is for, its docstring says.
"""

import inspect
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from windrow.cli.surface import option_name
from windrow.codec.docs import field_docs
from windrow.codec.types import Type, types_of
from windrow.domain.dataset import Row
from windrow.domain.names import ImmutableReference, ModelReference, Name
from windrow.domain.values import has_default
from windrow.settings import Settings, variable_name

ROWS_HELP: Final = "Labelled rows: a table, JSON, or the file of a labelling tool, also .gz; - for stdin."
TEXTS_HELP: Final = "Texts: a table, JSON, plain lines, or the file of a labelling tool, also .gz; - for stdin."


@dataclass(frozen=True, slots=True)
class OptionSpec:
    """How a field becomes an option, where that does not follow from its declaration."""

    names: str = ""
    """The option's names, with blanks between."""
    metavar: str | None = None
    """What stands for its value."""
    help: str | None = None
    """What it is for."""
    is_argument: bool = False
    """Whether it must be there, and without a name, though it has a default."""
    or_argument: bool = False
    """Whether its file, which must be there, may also stand without the option's name."""
    may_be_left_out: bool = False
    """Whether its file is an argument that need not be there; then there are no rows."""


SHARED_OPTIONS: Final[Mapping[str, OptionSpec]] = {
    "alias": OptionSpec(metavar="ALIAS"),
    "as_json": OptionSpec("--json"),
    "base_model": OptionSpec(metavar="ID"),
    "author": OptionSpec(metavar="WHO"),
    "api_key_file": OptionSpec(metavar="FILE"),
    "data_dir": OptionSpec(metavar="FOLDER_OR_URL"),
    "deleted": OptionSpec(help="List the deleted classifiers that can be restored, instead of those that answer."),
    "encoding": OptionSpec(metavar="NAME"),
    "force": OptionSpec(help="Delete also what an alias points to; the alias answers no more then."),
    "header": OptionSpec(
        "--header/--no-header",
        help="The first line of the CSV or TSV names the columns, or is a row; then they are called 1, 2, ….",
    ),
    "job_id": OptionSpec(metavar="ID", help="The job's id, as `windrow jobs` shows it."),
    "indicator_columns": OptionSpec(metavar="NAME"),
    "id_column": OptionSpec(metavar="NAME"),
    "label_column": OptionSpec(metavar="NAME"),
    "label_names": OptionSpec(metavar="LABEL=NAME"),
    "label_separator": OptionSpec(metavar="TEXT"),
    "labels_column": OptionSpec(metavar="NAME"),
    "merge_labels": OptionSpec(
        help="Take labels that look alike, since they differ only in case, in white space, in what cannot be seen, "
        "or as 1 and 1.0, for one, in the spelling that most rows have; a warning says which. Otherwise they are "
        "different labels."
    ),
    "n": OptionSpec("-n"),
    "prefix": OptionSpec(metavar="PREFIX"),
    "purge": OptionSpec(help="Remove the files for good; otherwise `windrow restore` brings them back for a while."),
    "reason": OptionSpec(metavar="WORDS"),
    "sheet": OptionSpec(metavar="NAME"),
    "split_column": OptionSpec(metavar="NAME"),
    "splits": OptionSpec("--split", metavar="PART"),
    "tag": OptionSpec(metavar="TAG"),
    "tags": OptionSpec("--tag", metavar="TAG"),
    "task": OptionSpec(metavar="TASK"),
    "text_column": OptionSpec(metavar="NAME"),
    "url": OptionSpec(metavar="URL"),
}
_METAVARS: Final[Mapping[Any, str]] = {Name: "NAME", ModelReference: "MODEL", ImmutableReference: "MODEL"}
# What the file of an argument may hold, by what is read from it.
_FILES: Final[Mapping[Any, str]] = {Row: ROWS_HELP, str: TEXTS_HELP}


@dataclass(frozen=True, slots=True, kw_only=True)
class Option(OptionSpec):
    """What a field becomes."""

    path: str
    """The field, and the one that it is in: ``require.not_worse``."""
    type: Type
    """Its type."""
    default: Any
    """Its default, if it has one."""

    @property
    def key(self) -> str:
        """What Typer calls it."""
        return self.path.replace(".", "_")

    @property
    def is_file(self) -> bool:
        """Whether its value is read from a file."""
        return self.type.item is Row or (self.type.item is not None and self.is_argument)

    @property
    def name(self) -> str:
        """What messages call it."""
        if self.is_argument:
            return self.metavar or self.path.upper()
        if self.names:
            return self.names.split()[0].partition("/")[0]
        return option_name(self.path, turns_off=self.default is True)

    @property
    def opposite(self) -> str:
        """The option that turns it off, if there is one for either way; empty if not."""
        return self.names.partition("/")[2]

    @property
    def argument_key(self) -> str:
        """What Typer calls it where it stands without its name."""
        return f"{self.key}_file"

    @property
    def parameters(self) -> tuple[inspect.Parameter, ...]:
        """What Typer reads: one, or two where the option's name may be left out."""
        if not self.or_argument:
            return (self._parameter,)
        hint = Annotated[Path | None, typer.Argument(help=f"The file of {self.name}.", metavar="FILE")]
        unnamed = inspect.Parameter(self.argument_key, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=hint)
        return unnamed, self._parameter

    @property
    def _parameter(self) -> inspect.Parameter:
        kind, default = self._shape()
        metavar = "FILE" if self.is_file else self.metavar
        if self.is_argument:
            help_text = _FILES[self.type.item] if self.is_file else self.help
            if self.may_be_left_out:
                help_text = f"{help_text} It may be left out where labels are described."
            hint, default = Annotated[kind, typer.Argument(help=help_text, metavar=metavar)], inspect.Parameter.empty
            if self.may_be_left_out:
                hint, default = Annotated[kind | None, typer.Argument(help=help_text, metavar=metavar)], None
        else:
            names = self.names.split() or [self.name]
            if self.default is MISSING and not self.or_argument:
                default = inspect.Parameter.empty
            kind = kind if default is not None else kind | None
            hint = Annotated[kind, typer.Option(*names, help=self.help, metavar=metavar)]
        return inspect.Parameter(self.key, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=hint)

    def _shape(self) -> tuple[Any, Any]:
        """Return the type and the default of what is typed."""
        if self.type.kind is bool:
            return bool, None if self.type.optional else False
        if self.is_file:
            return Path, None
        return (self.type.kind, self.default) if self.type.each is None else (list[str], None)


def options_of(
    kind: Any, specs: Mapping[str, OptionSpec] = SHARED_OPTIONS, leave_out: Collection[str] = (), before: str = ""
) -> Iterator[Option]:
    """Yield the options for a dataclass's fields, and for those of dataclasses in it.

    Args:
        kind: The dataclass.
        specs: How fields are specs, by name; those of dataclasses in it are called like ``require_not_worse``.
        leave_out: Fields that are no options.
        before: The path to the dataclass, with a dot at its end.
    """
    docs, types = field_docs(kind), types_of(kind)
    for each in fields(kind):
        path = before + each.name
        if path in leave_out or not each.init:
            continue
        declared = types[each.name]
        if is_dataclass(declared.kind):
            yield from options_of(declared.kind, specs, leave_out, f"{path}.")
            continue
        own = specs.get(path.replace(".", "_"), OptionSpec())
        yield Option(
            names=own.names,
            metavar=own.metavar or _METAVARS.get(declared.hint),
            help=own.help or (setting_help(each.name) if each.metadata.get("setting") else _help(docs, each.name)),
            or_argument=own.or_argument,
            may_be_left_out=own.may_be_left_out,
            is_argument=own.is_argument or not (has_default(each) or own.names),
            path=path,
            type=declared,
            default=None if each.default_factory is not MISSING else each.default,
        )


def setting_help(setting: str) -> str:
    """Return what an option that overrides a setting is for: the setting's own words."""
    declared = next(each for each in fields(Settings) if each.name == setting)
    default = f"; default: {declared.default}" if declared.default != "" else ""
    return f"{declared.metadata['doc']} [variable: {variable_name(setting)}{default}]"


def _help(docs: Mapping[str, str], name: str) -> str:
    """Return what a field is for: its docstring without what only concerns Python, and with options for fields."""
    clauses = re.split(r"(?<=[.;]) ", docs.get(name, ""))
    text = " ".join(each for each in clauses if "``None``" not in each)
    text = re.sub(r"``([^`]+)``", lambda match: option_name(match[1]) if match[1] in docs else match[1], text)
    return f"{text.rstrip('.;')}."
