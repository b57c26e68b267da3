"""The list of models as the clients of OpenAI and TypeSafe both read it: ``GET /v1/models``."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from windrow.api.endpoints import LIST_CLASSIFIERS, SHOW
from windrow.api.foreign.form import ForeignEndpoint, ForeignReply, Received
from windrow.api.foreign.openai import OPENAI
from windrow.domain.alias import Alias
from windrow.domain.classifier import Classifier, ModelRequest
from windrow.domain.decision import ANY_MODEL
from windrow.domain.listing import ListRequest
from windrow.local_operations import LocalOperations

_ANY: Final = "No classifier in particular: each question finds its own by its name, or is answered without one."
# When these names came to mean that, since the formats want to know.
_ANY_SINCE: Final = datetime(2026, 11, 29, tzinfo=UTC)
# What may ask a classifier may know that there is one.
_LIST: Final = replace(LIST_CLASSIFIERS, or_scope="predict")
_SHOW: Final = replace(SHOW, or_scope="predict")


def _list(operations: LocalOperations, request: ListRequest) -> tuple[tuple[Classifier, ...], tuple[Alias, ...]]:
    return operations.list_classifiers(request).models, operations.list_aliases().aliases


def _show(operations: LocalOperations, request: ModelRequest) -> datetime:
    """Return what the list says of one of its names: when a classifier came about, or an alias changed."""
    name = request.model_name
    if name in ANY_MODEL:
        return _ANY_SINCE
    found = operations.show(request)
    changes = (each.changed_at for each in operations.list_aliases().aliases if each.alias == name)
    return next(changes, found.created_at)


def _write(_received: Received, _request: Any, reply: Any) -> ForeignReply:
    classifiers, aliases = reply
    entries = [
        *((each.name, _told(each), each.created_at) for each in classifiers),
        *((each.alias, f"Alias of {each.points_to}.", each.changed_at) for each in aliases if each.answers),
        *((name, _ANY, _ANY_SINCE) for name in ANY_MODEL),
    ]
    # One client reads the first list, the other one the second.
    return ForeignReply(
        {
            "object": "list",
            "data": [_entry(name, at) for name, _, at in entries],
            "models": [
                {"name": name, "description": told, "release_date": f"{at:%Y-%m-%d}"} for name, told, at in entries
            ],
        }
    )


def _told(classifier: Classifier) -> str:
    return classifier.description or f"Text classifier with {len(classifier.labels)} labels."


def _entry(name: str, at: datetime) -> Mapping[str, object]:
    return {"id": name, "object": "model", "created": int(at.timestamp()), "owned_by": "windrow"}


ROWS: Final = (
    ForeignEndpoint(
        dialect=OPENAI,
        method="GET",
        path="/v1/models",
        verb=_LIST,
        read=lambda _: ListRequest(),
        write=_write,
        act=_list,
        summary="List classifiers and aliases, as the clients of OpenAI and TypeSafe read it",
    ),
    ForeignEndpoint(
        dialect=OPENAI,
        method="GET",
        path="/v1/models/{model}",
        verb=_SHOW,
        read=lambda received: ModelRequest(received.path["model"]),
        write=lambda received, _, at: ForeignReply(_entry(received.path["model"], at)),
        act=_show,
        summary="Show one entry of that list",
    ),
)
