"""The base models on this machine, their sizes and their users."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from windrow.domain.errors import BaseModelInUse, InvalidParameter
from windrow.domain.figures import counted
from windrow.domain.recipe import DEFAULT_BASE_MODEL, MODEL_ID_GRAMMAR, BaseModel, ModelId
from windrow.domain.values import ListValue, Value

# Where Windrow takes one from, in the order in which it looks: what was installed with it, base_models in the data
# directory, the Hugging Face cache, which other programs share.
BaseModelLocation = Literal["installed", "data_directory", "hub_cache"]
_MODEL_ID = re.compile(MODEL_ID_GRAMMAR)
_COMMIT = re.compile("[0-9a-f]{40}")
# In the place of an allowed id: every one may be used.
ANY_MODEL = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBaseModel(BaseModel, Value):
    """A base model on this machine: what Windrow takes for its id."""

    location: BaseModelLocation
    """Where it lies: installed with Windrow, in the data directory, or in the Hugging Face cache, which other programs
    share.
    """
    size_bytes: int
    """All files of its folder; in the Hugging Face cache, of all its revisions."""
    graph_bytes: int
    """Graphs that Windrow built from it. Two that are equal share theirs; the first has them."""
    problem: str | None = None
    """Why Windrow does not run it and what to do; ``None`` where it does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseModelUse(StoredBaseModel):
    """A base model on this machine, and who needs it."""

    classifiers: int
    """How many classifiers have a revision on it that answers, or could be brought back."""
    is_default: bool
    """Whether a fit that names no base model takes it."""


@dataclass(frozen=True, slots=True)
class BaseModelList(ListValue[BaseModelUse]):
    """The base models on this machine."""

    _items = "base_models"

    base_models: tuple[BaseModelUse, ...]
    """Sorted by id."""


@dataclass(frozen=True, slots=True)
class BaseModelRequest:
    """A base model to remove."""

    base_model: ModelId
    """Its id."""


@dataclass(frozen=True, slots=True)
class BaseModelRemoval(Value):
    """A base model that was removed from this machine."""

    base_model: str
    """Its id."""
    freed_bytes: int
    """What that freed on the disk."""
    status: Literal["deleted"] = "deleted"
    """Its files are gone."""


def check_unused(use: BaseModelUse) -> None:
    """Refuse to remove a base model that a classifier needs.

    Raises:
        BaseModelInUse: One does.
    """
    if use.classifiers:
        raise BaseModelInUse(
            f"{counted(use.classifiers, 'classifier was', 'classifiers were')} trained on the base model "
            "{base_model} and cannot answer without it. Purge what needs it first, or keep it.",
            {"base_model": use.id, "classifiers": use.classifiers},
        )


def is_model_id(text: str) -> bool:
    """Whether a text is of the form ``owner/name`` that the hub gives its models."""
    return _MODEL_ID.fullmatch(text) is not None and ".." not in text and "--" not in text


def is_commit(text: str) -> bool:
    """Whether a text is the name of a commit on the hub: 40 hexadecimal digits, lower case."""
    return _COMMIT.fullmatch(text) is not None


def allowed_ids(allowed: Collection[str]) -> list[str]:
    """Return the ids of an allow-list, whose entries are ``owner/name`` or ``owner/name@commit``."""
    return [entry.partition("@")[0] for entry in allowed]


def is_allowed(model_id: str, allowed: Collection[str]) -> bool:
    """Whether an id is on an allow-list, or every one is."""
    return not {model_id, ANY_MODEL}.isdisjoint(allowed_ids(allowed))


def pinned_commit(model_id: str, allowed: Collection[str]) -> str | None:
    """Return the commit of the hub that an allow-list asks for; ``None`` where it names none for this id."""
    commits = (entry.partition("@")[2] for entry in allowed if entry.startswith(f"{model_id}@"))
    return next(commits, None)


def check_model_id(text: str) -> None:
    """Refuse a text that :func:`is_model_id` says is no id.

    Raises:
        InvalidParameter: It is none.
    """
    if not is_model_id(text):
        raise InvalidParameter(
            "{value!r} is no base model's id. {Send} one of the form owner/name, as on the Hugging Face hub, for "
            "example {example}.",
            {"parameter": "base_model", "value": text[:200], "example": DEFAULT_BASE_MODEL},
        )
