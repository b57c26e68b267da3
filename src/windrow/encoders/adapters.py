"""Pack low-rank adapters into the matrices that the encoder graph takes, many adapters in one batch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from windrow.arrays import Floats, Halves, Integers
from windrow.domain.errors import InvalidArtifact
from windrow.encoders.folder import EncoderFolder
from windrow.encoders.layout import adapted_projections

LowRankChanges = Mapping[str, npt.NDArray[np.floating[Any]]]


@dataclass(frozen=True, slots=True, eq=False)
class Adapter:
    """The low-rank changes of every projection of the top layers, side by side. Made by :func:`pack_adapter`.

    Args:
        down: Shape [r, all projections' inputs], float16.
        up: Shape [r, all projections' outputs], float16.
    """

    down: Halves
    up: Halves

    @property
    def rank(self) -> int:
        """The number of rows of either matrix."""
        return len(self.down)

    @property
    def size_bytes(self) -> int:
        """The memory that the matrices take."""
        return self.down.nbytes + self.up.nbytes


def pack_adapter(folder: EncoderFolder, changes: LowRankChanges) -> Adapter:
    """Return the changes of single projections as one adapter.

    Args:
        folder: The encoder to adapt.
        changes: ``layers.{i}.{projection}.down`` [in, r] and ``.up`` [r, out], float16, for any of the projections
            (:func:`windrow.encoders.layout.adapted_projections`); the others stay unchanged.

    Raises:
        InvalidArtifact: The names, shapes or types are not this encoder's.
    """
    rank = _check(folder, changes)
    projections = tuple(adapted_projections(folder))
    zeros = np.zeros((rank, max(max(shape) for _, shape in projections)), np.float16)
    down = [
        changes[f"{name}.down"].T if f"{name}.down" in changes else zeros[:, :size] for name, (size, _) in projections
    ]
    up = [changes.get(f"{name}.up", zeros[:, :size]) for name, (_, size) in projections]
    return Adapter(np.concatenate(down, axis=1), np.concatenate(up, axis=1))


def stack_adapters(adapters: Sequence[Adapter], lengths: Integers) -> tuple[Halves, Halves, Floats]:
    """Stack the distinct adapters of a batch.

    Args:
        adapters: The adapter of each text; one of rank 0 changes nothing.
        lengths: The number of tokens of each text, shape [B].

    Returns:
        All ``down`` rows [R, inputs], all ``up`` rows [R, outputs], and a mask of the ranks of each token [T, R].
    """
    distinct = list({id(adapter): adapter for adapter in adapters}.values())
    ends = np.cumsum([adapter.rank for adapter in distinct])
    mask = np.zeros((len(adapters), ends[-1]), np.float32)
    ranks = {id(adapter): slice(end - adapter.rank, end) for adapter, end in zip(distinct, ends, strict=True)}
    for text, adapter in enumerate(adapters):
        mask[text, ranks[id(adapter)]] = 1.0
    down = np.concatenate([adapter.down for adapter in distinct]) if len(distinct) > 1 else distinct[0].down
    up = np.concatenate([adapter.up for adapter in distinct]) if len(distinct) > 1 else distinct[0].up
    return down, up, np.repeat(mask, lengths, axis=0)


def _check(folder: EncoderFolder, changes: LowRankChanges) -> int:
    """Return the rank, after checking names, shapes and types."""
    expected = dict(adapted_projections(folder))
    if odd := sorted(changes.keys() - {f"{name}.{side}" for name in expected for side in ("down", "up")}):
        raise _invalid(f"has {odd[0]}", folder)
    rank = next((int(tensor.shape[-1]) for name, tensor in changes.items() if name.endswith(".down")), 0)
    for name in {name.rpartition(".")[0] for name in changes}:
        rows, columns = expected[name]
        for side, shape in (("down", (rows, rank)), ("up", (rank, columns))):
            tensor = changes.get(f"{name}.{side}")
            if tensor is None:
                raise _invalid(f"lacks {name}.{side}", folder)
            if tensor.shape != shape or tensor.dtype != np.float16:
                raise _invalid(f"has {name}.{side} as {tensor.dtype} {tensor.shape}, not float16 {shape}", folder)
    return rank


def _invalid(problem: str, folder: EncoderFolder) -> InvalidArtifact:
    return InvalidArtifact(
        "The adapter {why}, which does not fit the base model {base_model}. Train the classifier again.",
        {"base_model": folder.base_model.id, "why": problem},
    )
