"""The JSON shapes of the base models on this machine.

Owns their fields; knows nothing of HTTP or of folders.
"""

from typing import Any, Literal, Self

from pydantic import Field

from windrow.domain.base_models import BaseModelPlace, BaseModelUse, StoredBaseModel
from windrow.domain.recipe import DEFAULT_BASE_MODEL, BaseModel
from windrow.wire.shapes import EXAMPLE_DIGEST, Wire


class StoredFields(Wire):
    """A base model on this machine."""

    id: str = Field(description="What a fit calls it.", examples=[DEFAULT_BASE_MODEL])
    place: BaseModelPlace = Field(
        description="Where it lies: installed with Windrow, in the data directory, or in the Hugging Face cache, "
        "which other programs share.",
        examples=["installed"],
    )
    size_bytes: int = Field(description="All files of its folder.", examples=[91_579_102])
    graph_bytes: int = Field(description="Graphs that Windrow built from it.", examples=[90_387_630])
    digest: str = Field(
        description="SHA-256 over everything in its folder that decides its output; empty where it cannot be used.",
        examples=[EXAMPLE_DIGEST],
    )
    revision: str | None = Field(description="The hub's commit; null where it came from no hub.", examples=[None])
    problem: str | None = Field(
        description="Why Windrow does not run it and what to do; null where it does.", examples=[None]
    )

    def to_stored(self) -> StoredBaseModel:
        """Return the base model that was shown."""
        base_model = BaseModel(self.id, self.digest, self.revision)
        return StoredBaseModel(base_model, self.place, self.size_bytes, self.graph_bytes, self.problem)


class StoredEntry(StoredFields):
    """A base model on this machine."""

    @classmethod
    def of(cls, model: StoredBaseModel) -> Self:
        """Show a base model."""
        return cls(**_stored_fields(model))


class BaseModelEntry(StoredFields):
    """A base model on this machine, and who needs it."""

    classifiers: int = Field(
        description="How many classifiers have a revision on it that answers, or could be brought back.", examples=[1]
    )
    is_default: bool = Field(description="Whether a fit that names no base model takes it.", examples=[True])

    @classmethod
    def of(cls, use: BaseModelUse) -> Self:
        """Show a base model and its use."""
        return cls(**_stored_fields(use.model), classifiers=use.classifiers, is_default=use.is_default)

    def to_domain(self) -> BaseModelUse:
        """Return the use that was shown."""
        return BaseModelUse(self.to_stored(), self.classifiers, self.is_default)


class BaseModelList(Wire):
    """The base models on this machine."""

    base_models: list[BaseModelEntry] = Field(description="Sorted by id.")

    @classmethod
    def of(cls, uses: tuple[BaseModelUse, ...]) -> Self:
        """Show base models."""
        return cls(base_models=[BaseModelEntry.of(use) for use in uses])

    def to_domain(self) -> tuple[BaseModelUse, ...]:
        """Return the base models that were shown."""
        return tuple(entry.to_domain() for entry in self.base_models)


class BaseModelDeleted(Wire):
    """A base model was removed from this machine."""

    status: Literal["deleted"] = Field(default="deleted", description="Its files are gone.", examples=["deleted"])
    base_model: str = Field(description="Its id.", examples=[DEFAULT_BASE_MODEL])
    freed_bytes: int = Field(description="What that freed on the disk.", examples=[181_966_732])


def _stored_fields(model: StoredBaseModel) -> dict[str, Any]:
    return {
        "id": model.base_model.id,
        "place": model.place,
        "size_bytes": model.size_bytes,
        "graph_bytes": model.graph_bytes,
        "digest": model.base_model.digest,
        "revision": model.base_model.revision,
        "problem": model.problem,
    }
