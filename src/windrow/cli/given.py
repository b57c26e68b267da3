"""From what was typed to the arguments of a verb's function: requests of the domain, with the rows of files in them."""

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import fields, is_dataclass
from functools import wraps
from typing import Any, TypeVar, cast, get_origin, get_type_hints

import typer

from windrow.cli.call import Call
from windrow.cli.labelled import read_labelled, read_texts
from windrow.cli.options import COMMON, Option, Told, options_of, parts_of
from windrow.cli.reading import Reading
from windrow.cli.surface import CliWords
from windrow.domain.dataset import Row
from windrow.domain.errors import InvalidParameter

F = TypeVar("F", bound=Callable[..., None])


def with_options(*, leave_out: Collection[str] = (), **told: Told) -> Callable[[F], F]:
    """Give a verb's function options for the fields of those of its parameters that are dataclasses.

    It is called with the finished values, rows of files included. Its other parameters stay as Typer has them.

    Args:
        leave_out: Fields that are no options, and keep their defaults.
        told: How fields are told, by name.
    """

    def decorate(function: F) -> F:
        own = dict(inspect.signature(function, eval_str=True).parameters)
        kinds = {name: own.pop(name).annotation for name in list(own) if is_dataclass(own[name].annotation)}
        options = {kind: tuple(options_of(kind, {**COMMON, **told}, ("words", *leave_out))) for kind in kinds.values()}
        files = [each for several in options.values() for each in several if each.is_file]
        if files:
            has_labels = any(each.held is Row for each in files)
            options[Reading] = tuple(options_of(Reading, leave_out=() if has_labels else ("label_column",)))
        # What every verb has comes last.
        common = options.pop(Call)
        every = [*(each for several in options.values() for each in several), *common]

        @wraps(function)
        def run(context: typer.Context, **given: Any) -> None:
            words = context.obj if isinstance(context.obj, CliWords) else CliWords()
            values = {**_read_all(every, given, words), "words": words}
            more = {"context": context, **given}
            function(
                **{name: _build(kind, values) for name, kind in kinds.items()}, **{name: more[name] for name in own}
            )

        mine = inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
        kept = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own.values() if each.name != "context"]
        derived = [each.parameter for each in every]
        parameters = [mine, *derived[: -len(common)], *kept, *derived[-len(common) :]]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {each.name: each.annotation for each in parameters}
        return cast(F, run)

    return decorate


def _read_all(options: Iterable[Option], given: Mapping[str, Any], words: CliWords) -> dict[str, Any]:
    """Return the values of fields by their paths; those for which nothing was typed have none."""
    words.options |= {each.path: each.name for each in options}
    values: dict[str, Any] = {}
    # Files last: how they are read is said by options too.
    for each in sorted(options, key=lambda each: each.is_file):
        value = given[each.key]
        if value is None or value is False or value == []:
            continue
        values[each.path] = _read(each, value)
        if each.is_file:
            read = read_labelled if each.held is Row else read_texts
            words.files[each.path] = read(value, _build(Reading, values))
            values[each.path] = words.files[each.path].rows
    return values


def _read(option: Option, value: Any) -> Any:
    """Return a field's value."""
    if option.kind is bool:
        return not option.default
    if get_origin(option.kind) is Mapping:
        return dict(_share(option, each) for each in value)
    return value if option.held is None or option.is_file else tuple(value)


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
    found = {}
    for each in fields(kind):
        path = before + each.name
        if path in values:
            found[each.name] = values[path]
        elif any(other.startswith(f"{path}.") for other in values):
            inner, _, _ = parts_of(get_type_hints(kind, include_extras=True)[each.name])
            found[each.name] = _build(inner, values, f"{path}.")
    return kind(**found)
