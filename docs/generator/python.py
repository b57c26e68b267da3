"""The page on Python: what ``import windrow`` gives, with every method, argument, type and default."""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Union, get_args, get_origin, get_type_hints

import windrow
from docs.generator.docstrings import described, entries, section, text_of
from docs.generator.kinds import VALUES_PAGE, error_link, values
from docs.generator.markdown import block, inline, page, paragraph, paragraphs, table
from docs.generator.wrapping import WIDTH
from windrow.codec.docs import field_docs
from windrow.domain import errors
from windrow.domain.classification import ClassifyRequest
from windrow.domain.errors import WindrowError
from windrow.domain.inspection import InspectRequest
from windrow.domain.prediction import PredictRequest
from windrow.session.classifying import ClassifyOptions
from windrow.session.inspecting import InspectOptions
from windrow.session.predicting import PredictOptions
from windrow.session.session import Session

_VALUES = {each.__name__ for each in values()}
# What the options of a method are fields of.
_REQUESTS: Mapping[Any, Any] = {
    ClassifyOptions: ClassifyRequest,
    InspectOptions: InspectRequest,
    PredictOptions: PredictRequest,
}
# What a copy returns and tells, which no endpoint does.
_COPYING = (windrow.CopyReport, windrow.CopyProblem, windrow.CopyProgress)
_OWNERS: Mapping[str, type] = {each.__name__: each for each in (Session, windrow.WindrowClassifier)}


def text() -> str:
    """Return the page."""
    verbs = [name for name in vars(Session) if not name.startswith("_")]
    return page(
        "Python",
        paragraph(
            "What `import windrow` gives. [Use Windrow in Python](../how-to/python.md) shows it at work. What methods "
            "return is described among the [values](values.md), what they raise among the [errors](errors.md)."
        ),
        *_function("windrow.open", windrow.open, "##"),
        *_function("windrow.Client", windrow.Client, "##"),
        paragraph("It has every method of `Session`."),
        *_function("windrow.AsyncClient", windrow.AsyncClient, "##"),
        paragraph("Its `follow_job`, and its `predict` of an iterator, give an asynchronous iterator."),
        *_function("windrow.copy_store", windrow.copy_store, "##"),
        *_function("windrow.read_examples", windrow.read_examples, "##"),
        *_fields(windrow.Examples),
        *(part for kind in _COPYING for part in _fields(kind)),
        "## windrow.Session",
        *_described(Session),
        *(part for name in verbs for part in _member(name)),
        *_estimator(),
        *_function("windrow.WindrowError", WindrowError, "##"),
        *_attributes(WindrowError),
        *_function("windrow.WindrowWarning", windrow.WindrowWarning, "##"),
        *_attributes(windrow.WindrowWarning),
    )


def _estimator() -> Iterator[str]:
    kind = windrow.WindrowClassifier
    yield from _function("windrow.WindrowClassifier", kind, "##")
    yield from _attributes(kind)
    for name, member in vars(kind).items():
        if not name.startswith("_") and inspect.isfunction(member):
            yield from _function(f"WindrowClassifier.{name}", member, "###")


def _fields(kind: type) -> Iterator[str]:
    yield f"### {kind.__name__}"
    yield from _described(kind)
    yield from _attributes(kind)


def _attributes(kind: type) -> Iterator[str]:
    properties = inspect.getmembers(kind, lambda member: isinstance(member, property))
    docs = {**described(kind), **{name: " ".join(text_of(member).split()) for name, member in properties}}
    links = _links(kind.__name__) if kind.__name__ in _OWNERS else {}
    rows = [[f"`{name}`", inline(doc, links)] for name, doc in docs.items() if not name.startswith("_")]
    yield table(["Attribute", "Meaning"], rows)


def _member(name: str) -> Iterator[str]:
    member = inspect.getattr_static(Session, name)
    if isinstance(member, property):
        yield f"### Session.{name}"
        yield from _described(member)
    else:
        yield from _function(f"Session.{name}", member, "###")


def _function(name: str, called: Any, level: str) -> Iterator[str]:
    owner = name.partition(".")[0] if name.partition(".")[0] in _OWNERS else "Session"
    yield f"{level} {name}"
    yield block("python", _signature(name, called))
    yield from _described(called, owner)
    if rows := list(_arguments(called, owner)):
        yield table(["Argument", "Meaning"], rows)
    returns = section(called, "Returns") or section(called, "Yields")
    returned = _returned(called)
    if returns:
        yield paragraph(f"Returns {returned}: {_lowered(inline(' '.join(returns.split()), _links(owner)))}")
    elif returned and not inspect.isclass(called):
        yield paragraph(f"Returns {returned}.")
    if raised := entries(called, "Raises"):
        yield table(["Raises", "When"], [[_error(each), inline(words)] for each, words in raised.items()])


def _described(documented: object, owner: str = "Session") -> Iterator[str]:
    yield from paragraphs(text_of(documented), _links(owner))


def _arguments(called: Any, owner: str) -> Iterator[list[str]]:
    for name, words in entries(called, "Args").items():
        options_type = get_args(get_type_hints(called).get("options"))
        if name == "**options" and options_type:
            (options,) = options_type
            docs = field_docs(_REQUESTS[options])
            yield from ([f"`{each}`", inline(docs[each], _links(owner))] for each in options.__annotations__)
        else:
            yield [f"`{name.lstrip('*')}`", inline(words, _links(owner))]


def _signature(name: str, called: Any) -> str:
    found = inspect.signature(called)
    shown = [each for each in found.parameters.values() if each.name != "self"]
    parts: list[str] = []
    for each in shown:
        if each.kind is each.KEYWORD_ONLY and "*" not in parts:
            parts.append("*")
        parts.append(f"**{each.name}" if each.kind is each.VAR_KEYWORD else _parameter(each))
    returned = "" if inspect.isclass(called) else f" -> {_type(found.return_annotation)}"
    line = f"{name}({', '.join(parts)}){returned}"
    if len(line) <= WIDTH:
        return line
    inner = "".join(f"    {each},\n" for each in parts)
    return f"{name}(\n{inner}){returned}"


def _parameter(each: inspect.Parameter) -> str:
    typed = "" if each.annotation is each.empty else f": {_type(each.annotation)}"
    if each.default is each.empty:
        return f"{each.name}{typed}"
    default: Any = each.default
    return f"{each.name}{typed} = {default.__name__ if isinstance(default, Callable) else repr(default)}"  # type: ignore[arg-type]


def _returned(called: Any) -> str:
    """Return the type that a method returns, with links to values."""
    if inspect.isclass(called):
        return ""
    returned = _type(inspect.signature(called).return_annotation)
    if returned in ("None", ""):
        return ""
    linked = re.sub(r"\w+", lambda found: _value_links().get(found[0], found[0]), returned)
    return linked if linked != returned else f"`{returned}`"


def _type(hint: Any) -> str:
    """Return a type as source, without the modules."""
    if hint is inspect.Signature.empty:
        return ""
    if get_origin(hint) is Union:
        # typing keeps one object for equal types, so whoever wrote one first decides how it shows itself.
        return " | ".join(_type(each) for each in get_args(hint))
    written = hint if isinstance(hint, str) else inspect.formatannotation(hint)
    return re.sub(r"\b(?:\w+\.)+(\w+)", r"\1", written).replace("NoneType", "None")


def _links(owner: str) -> dict[str, str]:
    """Return what stands for methods and values in docstrings: links."""
    members = [name for name in vars(_OWNERS[owner]) if not name.startswith("_")]
    methods = {name: f"[`{name}`](#{owner.lower()}{name})" for name in members}
    return {**methods, **_value_links()}


def _value_links() -> dict[str, str]:
    return {name: f"[{name}]({VALUES_PAGE}#{name.lower()})" for name in _VALUES}


def _error(name: str) -> str:
    error = getattr(errors, name, None)
    return f"`{name}`" if error is None else error_link(error, name)


def _lowered(words: str) -> str:
    return words[:1].lower() + words[1:] if words[:2].istitle() or words[1:2] == " " else words
