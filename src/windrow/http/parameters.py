"""A request's query: which parameters its endpoint takes, and their values as the verb's request declares them."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import fields
from functools import cache
from typing import Any, Final

from starlette.requests import Request

from windrow.codec.strict import short_key
from windrow.codec.types import Type, types_of
from windrow.codec.validation import near_or_known
from windrow.domain.errors import InvalidParameter, InvalidRequest
from windrow.http.context import context_of
from windrow.http.links import see_docs

_FLAGS: Final = {"true": True, "1": True, "false": False, "0": False}
_WHOLE_NUMBER: Final = re.compile("-?[0-9]{1,9}")


def read_query(
    request: Request, known: Collection[str], repeatable: Collection[str] = ()
) -> dict[str, tuple[str, ...]]:
    """Return a request's query, which its endpoint must wholly understand, so that nothing misspelt is ignored.

    Args:
        request: The request.
        known: The parameters that its endpoint takes.
        repeatable: Those that may stand there several times.

    Returns:
        What each parameter says, of one that is repeatable each time.

    Raises:
        InvalidRequest: A parameter is unknown, or stands there twice.
    """
    if not request.scope["query_string"]:
        return {}
    parameters: dict[str, tuple[str, ...]] = {}
    for name, value in request.query_params.multi_items():
        facts: dict[str, object] = {"parameter": short_key(name), "known": sorted(known)}
        if name not in known:
            docs = see_docs(context_of(request).settings, "what each request takes.")
            hint = near_or_known(name, sorted(known), request.query_params)
            raise InvalidRequest(
                f"{{parameter}} is no parameter of this request; {{hint}}{docs}",
                {**facts, "hint": hint if hint.endswith("?") else f"{hint}."},
            )
        if name in parameters and name not in repeatable:
            raise InvalidRequest("{parameter} stands twice in the query. {Send} it once.", facts)
        parameters[name] = (*parameters.get(name, ()), value)
    return parameters


async def refuse_body(request: Request, known: Collection[str]) -> None:
    """Refuse a body where all that a request says stands in its path and query, so that nothing said is ignored.

    Args:
        request: The request; an empty body says nothing.
        known: The parameters that its endpoint takes.

    Raises:
        InvalidRequest: It has a body.
    """
    headers = request.headers
    if headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers:
        return
    hint = f"its parameters in the query; known are {', '.join(sorted(known))}" if known else "it without one"
    async for chunk in request.stream():
        if chunk:
            facts = {"method": request.method, "known": sorted(known), "hint": hint}
            raise InvalidRequest("A {method} request takes no body. {Send} {hint}.", facts)


def read_parameters(kind: Any, texts: Mapping[str, Sequence[str]]) -> dict[str, object]:
    """Return the values of some fields of a request.

    Args:
        kind: The class of the request.
        texts: What stands in the query, or in the path, for fields of it; only one that is a tuple has several.

    Raises:
        InvalidParameter: A text is no value of its field's type.
    """
    readers = _readers(kind)
    return {name: readers[name](name, text) for name, text in texts.items()}


def read_flag(name: str, text: str | None, *, default: bool) -> bool:
    """Return whether a parameter says yes; one that is not there (``None``) says ``default``.

    Raises:
        InvalidParameter: It says something else.
    """
    if text is None:
        return default
    if text not in _FLAGS:
        raise InvalidParameter(
            f"{{arg:{name}}} is neither true nor false. {{Send}} {{{'unset' if default else 'set'}:{name}}}, or leave "
            "it out.",
            {"parameter": name, "allowed": list(_FLAGS)},
        )
    return _FLAGS[text]


@cache
def _readers(kind: Any) -> Mapping[str, Callable[[str, Sequence[str]], object]]:
    types = types_of(kind)
    return {each.name: _reader_of(types[each.name], each.default) for each in fields(kind)}


def _reader_of(declared: Type, default: object) -> Callable[[str, Sequence[str]], object]:
    if declared.kind is tuple:
        return lambda _, texts: tuple(texts)
    read = _single_reader_of(declared, default)
    return lambda name, texts: read(name, texts[0])


def _single_reader_of(declared: Type, default: object) -> Callable[[str, str], object]:
    if declared.kind is bool:
        return lambda name, text: read_flag(name, text, default=default is True)
    if declared.kind is int:
        return lambda name, text: _read_whole_number(name, text, declared.members)
    return lambda _, text: text


def _read_whole_number(name: str, text: str, members: Mapping[str, object]) -> int:
    if _WHOLE_NUMBER.fullmatch(text) is None:
        raise InvalidParameter(
            "{arg:{parameter}} is no whole number between {minimum} and {maximum}. {Send} one, or leave it out.",
            {"parameter": name, "minimum": members["minimum"], "maximum": members["maximum"]},
        )
    return int(text)
