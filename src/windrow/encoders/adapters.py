"""Adapters as encoders take them: the low-rank changes of all maps side by side, so that rows of many can be mixed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from windrow.arrays import Floats, Halves, Integers
from windrow.domain.errors import ArtifactInvalid
from windrow.encoders.folder import EncoderFolder
from windrow.encoders.layout import adapted_maps

MapChanges = Mapping[str, npt.NDArray[np.floating[Any]]]


@dataclass(frozen=True, slots=True, eq=False)
class Adapter:
    """The changes of every map of the top layers. Made by :func:`join_changes`.

    Args:
        down: Shape [r, all maps' inputs], float16.
        up: Shape [r, all maps' outputs], float16.
    """

    down: Halves
    up: Halves

    @property
    def rank(self) -> int:
        """Rows of either matrix."""
        return len(self.down)

    @property
    def size_bytes(self) -> int:
        """Memory that it takes."""
        return self.down.nbytes + self.up.nbytes


def join_changes(folder: EncoderFolder, changes: MapChanges) -> Adapter:
    """Return the changes of single maps as one adapter.

    Args:
        folder: The encoder that they are for.
        changes: ``layers.{i}.{map}.down`` [in, r] and ``.up`` [r, out], float16, for any of the maps
            (:func:`windrow.encoders.layout.adapted_maps`); a map without them stays as it is.

    Raises:
        ArtifactInvalid: The names, shapes or types are not this encoder's.
    """
    rank = _check(folder, changes)
    maps = tuple(adapted_maps(folder))
    nothing = np.zeros((rank, max(max(shape) for _, shape in maps)), np.float16)
    down = [changes[f"{name}.down"].T if f"{name}.down" in changes else nothing[:, :size] for name, (size, _) in maps]
    up = [changes.get(f"{name}.up", nothing[:, :size]) for name, (_, size) in maps]
    return Adapter(np.concatenate(down, axis=1), np.concatenate(up, axis=1))


def mix(adapters: Sequence[Adapter], lengths: Integers) -> tuple[Halves, Halves, Floats]:
    """Put the adapters of a batch one below the other, each of them once.

    Args:
        adapters: Each text's; one of rank 0 changes nothing.
        lengths: Tokens of each text, shape [B].

    Returns:
        All downs, all ups, and which token takes which ranks: [R, inputs], [R, outputs], [T, R].
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


def _check(folder: EncoderFolder, changes: MapChanges) -> int:
    """Return the rank, after comparing names and shapes with the top layers."""
    wanted = dict(adapted_maps(folder))
    if odd := sorted(changes.keys() - {f"{name}.{side}" for name in wanted for side in ("down", "up")}):
        raise _invalid(f"has {odd[0]}", folder)
    rank = next((int(tensor.shape[-1]) for name, tensor in changes.items() if name.endswith(".down")), 0)
    for name in {name.rpartition(".")[0] for name in changes}:
        rows, columns = wanted[name]
        for side, shape in (("down", (rows, rank)), ("up", (rank, columns))):
            tensor = changes.get(f"{name}.{side}")
            if tensor is None:
                raise _invalid(f"lacks {name}.{side}", folder)
            if tensor.shape != shape or tensor.dtype != np.float16:
                raise _invalid(f"has {name}.{side} as {tensor.dtype} {tensor.shape}, not float16 {shape}", folder)
    return rank


def _invalid(problem: str, folder: EncoderFolder) -> ArtifactInvalid:
    return ArtifactInvalid(
        "The adapter {why}, which does not fit the base model {base_model}. Train the classifier again.",
        {"base_model": folder.base_model.id, "why": problem},
    )
