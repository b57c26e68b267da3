"""Build the HTTP call (path, query and body) of an operation's request from the table of endpoints."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from functools import cache
from typing import Any, BinaryIO
from urllib.parse import urlencode

from windrow.api.endpoints import FILE_TYPES, LIST_CLASSIFIERS, REMOVE_ALIAS, Endpoint
from windrow.client.transport import JSON, Call
from windrow.domain.alias import check_note
from windrow.domain.base_models import check_model_id
from windrow.domain.errors import InvalidParameter, JobNotFound
from windrow.domain.names import check_name, read_reference

# Looser than the ids of today, but without characters that could change the path.
_JOB_ID = re.compile("[0-9A-Za-z-]{1,64}")


def build_call(endpoint: Endpoint[Any], request: object, timeout_s: float, file: BinaryIO | None = None) -> Call:
    """Return the HTTP call of a request; fields with their default value are left out.

    Args:
        endpoint: The operation's endpoint.
        request: The request.
        timeout_s: Longest silence of the server, in seconds, unless the verb may take minutes.
        file: The body, if the endpoint takes a file.

    Raises:
        InvalidInput: A name breaks its grammar, so that it might change the path, or a number is NaN or infinite.
        NotFound: No job can have such an id.
    """
    in_path = {name: getattr(request, name) for name in endpoint.path_fields}
    for name, value in in_path.items():
        _PATH_CHECKS[name](value)
    pairs = ((field, getattr(request, field.name)) for field in fields(request))  # type: ignore[arg-type]
    sent = {field.name: value for field, value in pairs if field.name not in in_path and value is not field.default}
    query: dict[str, str | list[str]] = dict(endpoint.chosen_by)
    body = None
    if not endpoint.takes_json:
        query |= {name: _query_texts(value) for name, value in sent.items() if value is not None}
    elif sent or endpoint.body == "required":
        body = to_json(sent)
    return Call(
        endpoint.method,
        endpoint.path.format_map(in_path) + (f"?{urlencode(query, doseq=True, errors='replace')}" if query else ""),
        body if file is None else file,
        JSON if file is None else FILE_TYPES[-1],
        timeout_s=None if endpoint.long_running else timeout_s,
        idempotent=endpoint.idempotent,
    )


def complete_request(endpoint: Endpoint[Any], request: Any) -> Any:
    """Return a request with what the client always adds: a list of classifiers returns full records.

    Raises:
        InvalidParameter: A text for the query is not valid Unicode, so it cannot be encoded.
    """
    if endpoint is REMOVE_ALIAS:
        check_note(request)
    return replace(request, full=True) if endpoint is LIST_CLASSIFIERS else request


def to_json(members: Mapping[str, object]) -> bytes:
    """Return the members of a request as JSON in UTF-8.

    Raises:
        InvalidParameter: A number is NaN or infinite.
    """
    try:
        text = json.dumps(members, default=_members_of, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError as error:
        raise InvalidParameter(
            "A number of the request is infinite or none at all, and JSON has none such. {Send} a finite one."
        ) from error
    # Half a surrogate pair has no UTF-8 form; as \udXXX it reaches the server, which says where it stands.
    return text.encode(errors="backslashreplace")


def _members_of(value: object) -> dict[str, object]:
    if isinstance(value, Mapping):
        return dict(value)
    kind: Any = type(value)
    return {name: getattr(value, name) for name in _names(kind)}


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def _query_texts(value: object) -> list[str]:
    return [_query_text(each) for each in value] if isinstance(value, tuple) else [_query_text(value)]


def _query_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _check_job_id(job_id: str) -> None:
    if _JOB_ID.fullmatch(job_id) is None:
        raise JobNotFound("There is no job {job_id!r}. List the jobs to see their ids.", {"job_id": job_id[:64]})


# The checks of path parameters, so that no value can change the path.
_PATH_CHECKS: Mapping[str, Callable[[str], object]] = {
    "model_name": read_reference,
    "alias": check_name,
    "name": check_name,
    "base_model": check_model_id,
    "job_id": _check_job_id,
}
