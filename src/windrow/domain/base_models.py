"""The base models on this machine: which they are, what they take, and who needs them.

Owns the values and the rule on removing one; knows nothing of folders.
"""

from dataclasses import dataclass
from typing import Literal

from windrow.domain.errors import BaseModelInUse
from windrow.domain.recipe import BaseModel

# Where Windrow takes one from, in the order in which it looks: what was installed with it, base_models in the data
# directory, the Hugging Face cache, which other programs share.
BaseModelPlace = Literal["installed", "data_directory", "hub_cache"]


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
