"""The base models on this machine: which they are, what they take, and who needs them.

Owns the values, the grammar of their ids and the rule on removing one; knows nothing of folders.
"""

import re
from dataclasses import dataclass
from typing import Literal

from windrow.domain.errors import BaseModelInUse, InvalidParameter
from windrow.domain.recipe import DEFAULT_BASE_MODEL, BaseModel

# Where Windrow takes one from, in the order in which it looks: what was installed with it, base_models in the data
# directory, the Hugging Face cache, which other programs share.
BaseModelPlace = Literal["installed", "data_directory", "hub_cache"]
# The hub's own rule (huggingface_hub.utils.validate_repo_id), with the owner made compulsory.
_MODEL_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,94}/[A-Za-z0-9_][A-Za-z0-9._-]{0,94}")


@dataclass(frozen=True, slots=True)
class StoredBaseModel:
    """A base model on this machine: what Windrow takes for its id.

    Args:
        base_model: Id, digest and revision; the digest is empty where the files cannot be used.
        place: Where it lies.
        size_bytes: All files of its folder; in the Hugging Face cache, of all its revisions.
        graph_bytes: Graphs that Windrow built from it. Two that are equal share theirs; the first has them.
        problem: Why Windrow does not run it and what to do; ``None`` where it does.
    """

    base_model: BaseModel
    place: BaseModelPlace
    size_bytes: int
    graph_bytes: int
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class BaseModelUse:
    """A base model, and who needs it.

    Args:
        model: The base model.
        classifiers: How many classifiers have a revision on it that answers, or could be brought back.
        is_default: Whether a fit that names no base model takes it.
    """

    model: StoredBaseModel
    classifiers: int
    is_default: bool


def check_unused(use: BaseModelUse) -> None:
    """Refuse to remove a base model that a classifier needs.

    Raises:
        BaseModelInUse: One does.
    """
    if use.classifiers:
        base_model_id = use.model.base_model.id
        raise BaseModelInUse(
            f"The base model {base_model_id} is what {use.classifiers} classifier(s) were trained on, and they cannot "
            "answer without it. Purge them first, or keep it.",
            {"base_model": base_model_id, "classifiers": use.classifiers},
        )


def is_model_id(text: str) -> bool:
    """Whether a text is of the form ``owner/name`` that the hub gives its models."""
    return _MODEL_ID.fullmatch(text) is not None and ".." not in text and "--" not in text


def check_model_id(text: str) -> None:
    """Refuse a text that :func:`is_model_id` says is no id.

    Raises:
        InvalidParameter: It is none.
    """
    if not is_model_id(text):
        raise InvalidParameter(
            f"{text[:200]!r} is no base model's id. Send one of the form owner/name, as on the Hugging Face hub, "
            f"for example {DEFAULT_BASE_MODEL}.",
            {"parameter": "base_model"},
        )
