"""Verbs that take the fields of their request as arguments, with the signature and the words that the request has."""

import asyncio
import inspect
import re
import textwrap
from collections.abc import Callable, Coroutine, Mapping
from functools import cached_property
from pathlib import Path
from types import MethodType
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar, cast, get_type_hints

from windrow.display.progress import told_both, training_bar
from windrow.domain.file_reply import FileReply
from windrow.domain.job import OnProgress
from windrow.operations import Operations
from windrow.session.archive_files import write_file
from windrow.session.arguments import check_known, request_of
from windrow.session.columns import read_rows
from windrow.session.reply_warnings import warn_of

if TYPE_CHECKING:
    from windrow.client.async_remote import AsyncRemoteOperations

P = ParamSpec("P")
Q = TypeVar("Q")
R = TypeVar("R")
_ROWS = ("training_data", "test_data")


class HasOperations(Protocol):
    """What has verbs: a session."""

    @property
    def operations(self) -> Operations:
        """Who does them."""
        ...


def keywords(verb: Callable[[Operations, Q], R], request: Callable[P, Q]) -> Callable[Concatenate[HasOperations, P], R]:
    """Return a session's verb that takes the fields of its request.

    Args:
        verb: The verb of ``Operations``.
        request: The class of its request.
    """
    return columns(verb, request, request)


def columns(
    verb: Callable[[Operations, Q], R], request: Callable[..., Q], arguments: Callable[P, object]
) -> Callable[Concatenate[HasOperations, P], R]:
    """Return a session's verb some of whose arguments come in other forms than the fields of its request.

    Args:
        verb: The verb of ``Operations``.
        request: The class of its request.
        arguments: A dataclass of the arguments. ``texts`` and ``labels`` are the request's labelled rows; what the
            request does not have is passed to the verb as it is.
    """
    method: Any = _Verb(verb, request, arguments)
    return cast(Callable[Concatenate[HasOperations, P], R], method)


def file_columns(
    verb: Callable[[Operations, Q], FileReply], request: Callable[..., Q], arguments: Callable[P, object]
) -> Callable[Concatenate[HasOperations, P], Path]:
    """Return what :func:`columns` does, for a verb that gives away a file: it writes that to the argument ``path``."""
    method: Any = _FileVerb(verb, request, arguments)
    return cast(Callable[Concatenate[HasOperations, P], Path], method)


def own_columns(
    verb: Callable[..., R], request: Callable[..., Q], arguments: Callable[P, object]
) -> Callable[Concatenate[HasOperations, P], R]:
    """Return what :func:`columns` does, for what a session does itself, by several verbs.

    Args:
        verb: Does it, with the session's ``Operations``, the request, and further arguments by name.
        request: The class of its request.
        arguments: A dataclass of the arguments.
    """
    method: Any = _OwnVerb(verb, request, arguments)
    return cast(Callable[Concatenate[HasOperations, P], R], method)


class HasAsyncOperations(Protocol):
    """What has verbs as coroutines: an asynchronous client."""

    @property
    def operations(self) -> "AsyncRemoteOperations":
        """What does them."""
        ...


def async_keywords(
    verb: Callable[[Operations, Q], R], request: Callable[P, Q]
) -> Callable[Concatenate[HasAsyncOperations, P], Coroutine[Any, Any, R]]:
    """Return what :func:`keywords` does, as a coroutine."""
    return async_columns(verb, request, request)


def async_columns(
    verb: Callable[[Operations, Q], R], request: Callable[..., Q], arguments: Callable[P, object]
) -> Callable[Concatenate[HasAsyncOperations, P], Coroutine[Any, Any, R]]:
    """Return what :func:`columns` does, as a coroutine."""
    method: Any = _AsyncVerb(verb, request, arguments)
    return cast(Callable[Concatenate[HasAsyncOperations, P], Coroutine[Any, Any, R]], method)


def async_file_columns(
    verb: Callable[[Operations, Q], FileReply], request: Callable[..., Q], arguments: Callable[P, object]
) -> Callable[Concatenate[HasAsyncOperations, P], Coroutine[Any, Any, Path]]:
    """Return what :func:`file_columns` does, as a coroutine."""
    method: Any = _AsyncFileVerb(verb, request, arguments)
    return cast(Callable[Concatenate[HasAsyncOperations, P], Coroutine[Any, Any, Path]], method)


def listening(more: Mapping[str, Any], show: OnProgress | None) -> dict[str, Any]:
    """Return arguments of a verb that also show how far a training is.

    Args:
        more: The arguments.
        show: What shows it; ``None`` for nothing.
    """
    if show is None:
        return dict(more)
    return {**more, "on_progress": told_both(more["on_progress"], show) if "on_progress" in more else show}


class _Verb:
    # The docstring is built lazily, since the fields' docstrings are parsed from the source of their classes.

    _returns: Any = None

    def __init__(self, verb: Callable[..., Any], request: Any, arguments: Any) -> None:
        self._verb = verb
        self._request = request
        self._arguments = arguments
        self.__name__ = self.__qualname__ = verb.__name__

    def __set_name__(self, owner: type, name: str) -> None:
        self.__name__ = name
        self.__qualname__ = f"{owner.__qualname__}.{name}"
        self.__module__ = owner.__module__

    def __get__(self, session: HasOperations | None, owner: type) -> Any:
        return self if session is None else MethodType(self, session)

    def __call__(self, session: HasOperations, /, *args: Any, **kwargs: Any) -> Any:
        request, more = self.bound(session, *args, **kwargs)
        verb = getattr(session.operations, self._verb.__name__)
        if "progress" not in self.__signature__.parameters:
            return warn_of(verb(request, **more))
        with training_bar(more.pop("progress", None)) as show:
            return warn_of(verb(request, **listening(more, show)))

    def bound(self, session: object, *args: Any, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        """Return the request that arguments make, and those of the verb itself.

        Raises:
            TypeError: An argument is unknown or missing.
            InvalidInput: A value is of the wrong type.
        """
        known = self.__signature__.parameters
        check_known(self.__name__, kwargs, list(known)[1:])
        given = self.__signature__.bind(session, *args, **kwargs).arguments
        given.pop("self")
        fields = inspect.signature(self._request).parameters
        rows = {}
        if "labels" in known:
            name = next(each for each in _ROWS if each in fields)
            rows[name] = read_rows(name, given.pop("texts"), given.pop("labels", None))
        more = {name: given.pop(name) for name in list(given) if name not in fields}
        return request_of(self._request, given, **rows), more

    @cached_property
    def __signature__(self) -> inspect.Signature:
        hints = get_type_hints(self._arguments)
        mine = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
        passed = inspect.signature(self._arguments).parameters.values()
        return inspect.Signature(
            [mine, *(each.replace(annotation=hints[each.name]) for each in passed)],
            return_annotation=self._returns or get_type_hints(self._verb)["return"],
        )

    @property
    def __doc__(self) -> str:  # type: ignore[override]
        from windrow.codec.docs import field_docs

        summary, *sections = re.split(r"\n\n(?=Args:|Returns:|Raises:)", inspect.getdoc(self._verb) or "")
        docs = {**field_docs(self._arguments), **field_docs(self._request)}
        arguments = [
            textwrap.fill(f"{name}: {docs[name]}", 112, initial_indent=" " * 4, subsequent_indent=" " * 8)
            for name in list(self.__signature__.parameters)[1:]
        ]
        # An error that only an argument of the verb itself can cause is none of the method's.
        withheld = inspect.signature(self._verb).parameters.keys() - self.__signature__.parameters.keys()
        caused = re.compile(rf"\n    \w+: [^\n]*``({'|'.join(withheld)})``[^\n]*(\n {{8}}[^\n]*)*")
        others = [caused.sub("", section) for section in sections if not section.startswith("Args:")]
        return "\n\n".join((summary, "\n".join(("Args:", *arguments)), *others))


# A class without a docstring has None for one, which would hide that of its instances.
_DOC: Any = vars(_Verb)["__doc__"]


class _AsyncVerb(_Verb):
    __doc__ = _DOC

    async def __call__(self, client: Any, /, *args: Any, **kwargs: Any) -> Any:
        request, more = self.bound(client, *args, **kwargs)
        if "progress" not in self.__signature__.parameters:
            return warn_of(await client.operations.call(self._verb.__name__, request, **more))
        with training_bar(more.pop("progress", None)) as show:
            return warn_of(await client.operations.call(self._verb.__name__, request, **listening(more, show)))


class _OwnVerb(_Verb):
    __doc__ = _DOC

    def __call__(self, session: HasOperations, /, *args: Any, **kwargs: Any) -> Any:
        request, more = self.bound(session, *args, **kwargs)
        return warn_of(self._verb(session.operations, request, **more))


class _FileVerb(_Verb):
    __doc__ = _DOC
    _returns = Path

    def __call__(self, session: HasOperations, /, *args: Any, **kwargs: Any) -> Path:
        request, more = self.bound(session, *args, **kwargs)
        return write_file(getattr(session.operations, self._verb.__name__)(request), **_place(more))


class _AsyncFileVerb(_Verb):
    __doc__ = _DOC
    _returns = Path

    async def __call__(self, client: Any, /, *args: Any, **kwargs: Any) -> Path:
        request, more = self.bound(client, *args, **kwargs)
        reply = await getattr(client.operations, self._verb.__name__)(request)
        return await asyncio.to_thread(write_file, reply, **_place(more))


def _place(more: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"path": ".", **more}
