"""Adapters of random numbers, and weights that an adapter was added to."""

import shutil
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from windrow.arrays import Halves
from windrow.encoders.adapters import Adapter, LowRankChanges, pack_adapter
from windrow.encoders.folder import EncoderFolder, read_encoder_folder
from windrow.encoders.layout import adapted_projections

# Where BERT's files keep the six maps of a layer.
_BERT_NAMES = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "attention_out": "attention.output.dense",
    "expand": "intermediate.dense",
    "contract": "output.dense",
}


def adapter_for(folder: EncoderFolder, rank: int, seed: int = 0) -> Adapter:
    """Return an adapter that changes the features visibly."""
    return pack_adapter(folder, changes_for(folder, rank, seed))


def changes_for(folder: EncoderFolder, rank: int, seed: int = 0, size: float = 0.1) -> dict[str, Halves]:
    """Return the changes of such an adapter, map by map."""
    random = np.random.default_rng(seed)
    shapes = {
        f"{name}.{side}": shape
        for name, (rows, columns) in adapted_projections(folder)
        for side, shape in (("down", (rows, rank)), ("up", (rank, columns)))
    }
    return {name: (random.standard_normal(shape) * size).astype(np.float16) for name, shape in shapes.items()}


def merge(folder: EncoderFolder, changes: LowRankChanges, path: Path) -> EncoderFolder:
    """Copy a BERT folder to ``path``, with an adapter's changes added to its weights."""
    shutil.copytree(folder.path, path)
    tensors = load_file(path / "model.safetensors")
    for name, _ in adapted_projections(folder):
        _, layer, part = name.split(".")
        theirs = f"encoder.layer.{layer}.{_BERT_NAMES[part]}.weight"
        change = changes[f"{name}.down"].astype(np.float32) @ changes[f"{name}.up"].astype(np.float32)
        tensors[theirs] = np.ascontiguousarray(tensors[theirs] + change.T)
    save_file(tensors, path / "model.safetensors")
    return read_encoder_folder(path, "tests/merged")
