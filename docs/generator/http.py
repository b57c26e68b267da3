"""The page on HTTP: each endpoint, what a request may say, what the reply is, and which errors refuse it."""

import dataclasses
from collections.abc import Iterator
from typing import Any

from docs.generator.docstrings import entries, text_of
from docs.generator.kinds import error_link, fields_table, in_words, values
from docs.generator.markdown import anchor, as_json, block, json_text, page, paragraph, paragraphs
from windrow.api.endpoints import ENDPOINTS, SERVER, TAGS, Endpoint
from windrow.api.examples import REQUESTS
from windrow.api.flat import FORMS, Health
from windrow.api.foreign.table import FOREIGN_ENDPOINTS
from windrow.api.openapi import needed_scope, openapi_document
from windrow.domain import errors
from windrow.operations import Operations

# When a reply has a form that is not the value of the verb, or not always.
_FORM_WORDS = {
    "TextsReply": "for many texts {}",
    "ClassifiersReply": "and for many classifiers {}",
    "ClassifiedTexts": "for many texts {}",
    "ModelPage": "with `limit` or `cursor` {}",
    "Listing": "and with `full=true` {}",
}
_REPLY_FORMS = {
    "json": "The reply is",
    "events": "The reply is a stream of server-sent events, whose data are",
    "file": "The reply is the file",
}


def text() -> str:
    """Return the page."""
    parts = [
        paragraph(
            "JSON over HTTP, in UTF-8. [Conventions of the HTTP API](../explanation/http.md) says what holds for all "
            "endpoints. A running server shows this page as OpenAPI at `/openapi.json`, and at `/docs` for trying out."
        )
    ]
    for tag in TAGS:
        of_tag = [each for each in ENDPOINTS if each.tag == tag]
        parts += [f"## {tag.name.capitalize()}", tag.description, *map(_endpoint, of_tag)] if of_tag else []
    return page("HTTP endpoints", *parts, *_others(), *_foreign())


def _foreign() -> Iterator[str]:
    """Yield the endpoints of other servers' formats."""
    yield "## Formats of other servers"
    yield paragraph(
        "These are answered as other servers answer them, errors included, by the verb and with the scope that is "
        "named; [Decisions](../how-to/decisions.md), [System One](../how-to/system-one.md), [Classify "
        "shapes](../how-to/classify-shapes.md) and [LlamaFarm](../how-to/from-llamafarm.md) tell of them. What needs a "
        "setting is answered where `WINDROW_DIALECTS` names the format."
    )
    rows = [
        f"| `{row.method} {row.path}` | {row.dialect.name} | {row.summary} | `{row.verb.scope}` | "
        f"{'yes' if row.collides else ''} |"
        for row in FOREIGN_ENDPOINTS
    ]
    yield "\n".join(["| endpoint | format | | scope | needs the setting |", "| --- | --- | --- | --- | --- |", *rows])


def _others() -> Iterator[str]:
    """Yield the endpoints that are no verbs of the product."""
    yield from (f"## {SERVER.name.capitalize()}", SERVER.description)
    own = {each.path for each in ENDPOINTS}
    for path, methods in openapi_document()["paths"].items():
        if path not in own:
            (summary,) = {each["summary"] for each in methods.values()}
            yield from (f"### GET {path}", f"{summary}.")
    yield paragraph(
        f"`/health`, `/health/live` and `/health/ready` reply with {in_words(Health)}, `/metrics` with the "
        "[metrics](metrics.md)."
    )


def _endpoint(endpoint: Endpoint[Any]) -> str:
    verb = getattr(Operations, endpoint.verb)
    described = [as_json(each) for each in paragraphs(text_of(verb), _links())]
    parts = [f"### {_heading(endpoint)}", *described, *_request(endpoint)]
    parts.append(paragraph(f"{_reply(endpoint)}, with status {endpoint.status}."))
    parts.append(paragraph(f"An API key needs {needed_scope(endpoint)}."))
    if refusals := ", ".join(_refusals(verb)):
        parts.append(paragraph(f"Errors: {refusals}."))
    return "\n\n".join(parts)


def _heading(endpoint: Endpoint[Any]) -> str:
    chosen = "".join(f"?{name}={value}" for name, value in endpoint.chosen_by.items())
    return f"{endpoint.method} {endpoint.path}{chosen}"


def _request(endpoint: Endpoint[Any]) -> Iterator[str]:
    """Yield what a request may say, and where."""
    kind: Any = endpoint.request
    in_path = [each for each in dataclasses.fields(kind) if f"{{{each.name}}}" in endpoint.path]
    others = [each for each in dataclasses.fields(kind) if each not in in_path]
    if in_path:
        yield f"In the path:\n\n{fields_table(kind, in_path)}"
    if others and endpoint.body in ("none", "file"):
        yield f"In the query:\n\n{fields_table(kind, others)}"
    if endpoint.body == "file":
        yield "The body is the file."
    elif others and endpoint.body != "none":
        may = ", which may be left out" if endpoint.body == "optional" else ""
        rest = f", without `{in_path[0].name}`" if in_path else ""
        yield f"The body is {in_words(kind)}{rest}{may}."
    for example in REQUESTS.get(endpoint.verb, {}).values():
        if example:
            yield block("json", json_text(example))


def _reply(endpoint: Endpoint[Any]) -> str:
    words, kind = _REPLY_FORMS[endpoint.reply_form], endpoint.reply
    if endpoint.reply_form == "file":
        return words
    forms = FORMS.get(endpoint.verb)
    if not forms:
        return f"{words} {in_words(kind)}"
    usual = next(each for each in forms if each.__name__ not in _FORM_WORDS)
    others = {each.__name__: in_words(each) for each in forms}
    told = [sentence.format(others[name]) for name, sentence in _FORM_WORDS.items() if name in others]
    return f"{words} {', '.join([in_words(usual), *told])}"


def _refusals(verb: object) -> Iterator[str]:
    """Yield links to the codes of the errors that a docstring lists; of a whole family, to the family."""
    for name in entries(verb, "Raises"):
        error = getattr(errors, name, None)
        if error is not None:
            label = f"`{error.code}`" if error.code else f"any {name}"
            yield error_link(error, label)


def _links() -> dict[str, str]:
    """Return what stands for verbs and values in docstrings: links."""
    verbs = {each.verb: f"[`{_heading(each)}`](#{anchor(_heading(each))})" for each in ENDPOINTS}
    return {**verbs, **{each.__name__: in_words(each) for each in values()}}
