"""Names and shapes of an encoder's projections, features and graph files, the same for every model family."""

from collections.abc import Iterator

from windrow.arrays import PROJECTIONS
from windrow.encoders.folder import EncoderFolder

# Adapters reach the last six layers: all of MiniLM's. Features come from the last three. Source: docs/adr/0003, 0009.
ADAPTED_LAYERS = 6
FEATURE_LAYERS = 3
TRUNK_FILE = "trunk.onnx"
TOP_FILE = "top.onnx"
ADAPTED_TOP_FILE = "adapted_top.onnx"
TENSORS_FILE = "tensors.bin"


def top_layers(folder: EncoderFolder) -> range:
    """Return the layers, counted from 0, that an adapter may change: the last six, or all of fewer."""
    return range(max(0, folder.layers - ADAPTED_LAYERS), folder.layers)


def feature_size(folder: EncoderFolder) -> int:
    """Return the width of a text's features: the hidden states of the last three layers, or of all of fewer."""
    return folder.hidden_size * min(FEATURE_LAYERS, folder.layers)


def projection_shape(folder: EncoderFolder, name: str) -> tuple[int, int]:
    """Return the shape [in, out] of one of a layer's six projections."""
    inner, outer = folder.hidden_size, folder.intermediate_size
    return {"expand": (inner, outer), "contract": (outer, inner)}.get(name, (inner, inner))


def adapted_projections(folder: EncoderFolder) -> Iterator[tuple[str, tuple[int, int]]]:
    """Yield each adapted projection, ``layers.{i}.{projection}``, with its shape [in, out]."""
    for layer in top_layers(folder):
        for name in PROJECTIONS:
            yield f"layers.{layer}.{name}", projection_shape(folder, name)
