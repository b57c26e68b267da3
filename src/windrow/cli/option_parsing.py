"""Turns typed options into the arguments of a command's function: requests of the domain, with rows read from files."""

import inspect
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import fields, is_dataclass
from functools import cached_property, update_wrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import typer

from windrow.cli.call import Call
from windrow.cli.options import SHARED_OPTIONS, Option, OptionSpec, options_of
from windrow.cli.surface import CliWords
from windrow.codec.types import types_of
from windrow.domain.dataset import Row
from windrow.domain.errors import InvalidParameter
from windrow.domain.recipe import check_range

if TYPE_CHECKING:
    from windrow.cli.labelled_file import FileRows

F = TypeVar("F", bound=Callable[..., None])
# Of a thousand labels, with names of any length.
_MAX_NAMES_CHARS: Final = 1_000_000
_DAYS: Final = re.compile(r"([0-9]{1,9})d?")
_EVERYWHERE = {each.name for each in fields(Call)} - {"words"}


def days(text: str | None, option: str, parameter: str) -> int | None:
    """Return the number of days that an option says.

    Args:
        text: What it was given, like ``90d``; ``None`` where it was left out.
        option: The option.
        parameter: The parameter that it stands for.

    Raises:
        InvalidParameter: It is no number of days.
    """
    if text is None:
        return None
    if (match := _DAYS.fullmatch(text.strip())) is None:
        raise InvalidParameter(f"{option} takes a number of days, like 90d.", {"parameter": parameter})
    return int(match[1])


def with_options(*, leave_out: Collection[str] = (), **specs: OptionSpec) -> Callable[[F], F]:
    """Give a verb's function options for the fields of those of its parameters that are dataclasses.

    It is called with the finished values, rows of files included. Its other parameters stay as Typer has them.

    Args:
        leave_out: Fields that are no options, and keep their defaults.
        specs: How fields are specs, by name.
    """

    def decorate(function: F) -> F:
        return cast(F, _Verb(function, {**SHARED_OPTIONS, **specs}, ("words", *leave_out)))

    return decorate


class _Verb:
    # Built lazily, since the options' help texts are parsed from the source of the dataclasses.

    def __init__(
        self, function: Callable[..., None], specs: Mapping[str, OptionSpec], leave_out: Collection[str]
    ) -> None:
        update_wrapper(self, function)
        self._function = function
        self._specs = specs
        self._leave_out = leave_out
        self._own = dict(inspect.signature(function, eval_str=True).parameters)
        dataclasses = [name for name, each in self._own.items() if is_dataclass(each.annotation)]
        self._kinds = {name: self._own.pop(name).annotation for name in dataclasses}

    def __call__(self, context: typer.Context, **given: Any) -> None:
        words = context.obj if isinstance(context.obj, CliWords) else CliWords()
        values = {**_read_all(self._options, given, words), "words": words}
        built = {name: _build(kind, values) for name, kind in self._kinds.items()}
        more = {"context": context, **given}
        self._function(**built, **{name: more[name] for name in self._own})

    @cached_property
    def _options(self) -> tuple[Option, ...]:
        options = [each for kind in self._kinds.values() for each in options_of(kind, self._specs, self._leave_out)]
        if files := [each.type.item for each in options if each.is_file]:
            from windrow.domain.read_options import LABEL_OPTIONS, LabelledReadOptions, ReadOptions

            if Row in files:
                options += options_of(LabelledReadOptions, self._specs)
            else:
                options += options_of(ReadOptions, self._specs, LABEL_OPTIONS)
        # What every verb has comes last.
        return tuple(sorted(options, key=lambda each: each.path in _EVERYWHERE))

    @cached_property
    def __signature__(self) -> inspect.Signature:
        own = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in self._own.values()]
        if "context" not in self._own:
            own.append(inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context))
        first, last = ([one for each in part for one in each.parameters] for part in self._split())
        return inspect.Signature([*first, *own, *last])

    def _split(self) -> tuple[tuple[Option, ...], tuple[Option, ...]]:
        """Return the options of this verb, and those that every verb has."""
        place = len(self._options) - len(_EVERYWHERE)
        return self._options[:place], self._options[place:]


def _read_all(options: Iterable[Option], given: Mapping[str, Any], words: CliWords) -> dict[str, Any]:
    """Return the values of fields by their paths; those for which nothing was typed have none."""
    words.options |= {each.path: each.name for each in options}
    words.opposites |= {each.path: each.opposite for each in options if each.opposite}
    values: dict[str, Any] = {}
    # Files last: reading them depends on other options.
    for each in sorted(options, key=lambda each: each.is_file):
        value = _path_of(each, given) if each.or_argument else given[each.key]
        if value is None and each.may_be_left_out:
            values[each.path] = ()
        if value is None or value == [] or (value is False and not each.type.optional):
            continue
        if each.is_file:
            words.files[each.path] = _read_file(each, value, values, words)
            values[each.path] = words.files[each.path].rows
        else:
            values[each.path] = _read(each, value)
    return values


def _path_of(option: Option, given: Mapping[str, Any]) -> Path:
    """Return a file that may be named by an option or without one.

    Raises:
        InvalidParameter: It is named twice, or not at all.
    """
    paths = [path for path in (given[option.argument_key], given[option.key]) if path is not None]
    if len(paths) != 1:
        problem = "missing" if not paths else "there twice"
        raise InvalidParameter(
            f"The FILE is {problem}. Name it once, without an option or with {{option}}.",
            {"parameter": option.path, "option": option.name},
        )
    (path,) = paths
    return Path(path)


def _read_file(option: Option, path: Path, values: Mapping[str, Any], words: CliWords) -> "FileRows[Any]":
    """Return the rows or texts of a file."""
    # Not before a verb reads a file: other verbs need none of it.
    from windrow.cli.labelled_file import read_labelled, read_texts
    from windrow.domain.read_options import LabelledReadOptions, ReadOptions

    if option.type.item is not Row:
        return read_texts(path, _build(ReadOptions, values))
    is_training = option.path == "training_data"
    return read_labelled(path, _build(LabelledReadOptions, values), for_training=is_training, words=words)


def _read(option: Option, value: Any) -> Any:
    """Return a field's value.

    Raises:
        InvalidParameter: It lies outside its range, or is no label and share.
    """
    if option.type.kind is bool:
        return value if option.type.optional else not option.default
    if option.type.members.keys() >= {"minimum", "maximum"}:
        # By the verb as well, but not before it has read a file or has asked a server.
        check_range(option.path, value, (option.type.members["minimum"], option.type.members["maximum"]))
    if option.type.kind is Mapping:
        return dict(_share(option, each) for each in value)
    if option.path == "label_names":
        value = [_names_in(each) for each in value]
    return value if option.type.item is None else tuple(value)


def _names_in(typed: str) -> str:
    """Return names of labels, or those in the JSON file that is typed in their place."""
    if not typed.lower().endswith(".json") or "=" in typed:
        return typed
    try:
        with Path(typed).open(encoding="utf-8") as file:
            return file.read(_MAX_NAMES_CHARS)
    except (OSError, ValueError) as error:
        facts = {"parameter": "label_names", "file": typed, "reason": str(error)}
        raise InvalidParameter("{file} cannot be read: {reason}. Name another file.", facts) from error


def _share(option: Option, typed: str) -> tuple[str, float]:
    """Return the label and the share of ``LABEL=SHARE``.

    Raises:
        InvalidParameter: It is something else.
    """
    label, _, number = typed.rpartition("=")
    try:
        least = float(number)
    except ValueError:
        least = -1.0
    if not label or not 0 <= least <= 1:
        raise InvalidParameter(
            "{option} {value} is no label and share. Write it like {option} refund=0.9.",
            {"parameter": option.path, "option": option.name, "value": typed},
        )
    return label, least


def _build(kind: Any, values: Mapping[str, Any], before: str = "") -> Any:
    """Return a dataclass's value; one in it is made where anything was typed for it."""
    arguments = {}
    for each in fields(kind):
        path = before + each.name
        if path in values:
            arguments[each.name] = values[path]
        elif any(other.startswith(f"{path}.") for other in values):
            arguments[each.name] = _build(types_of(kind)[each.name].kind, values, f"{path}.")
    return kind(**arguments)
