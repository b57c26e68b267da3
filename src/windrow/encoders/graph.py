"""The encoder as ONNX graphs: the frozen trunk, and the top layers with and without an adapter."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper

from windrow.arrays import Floats
from windrow.encoders.folder import EncoderFolder
from windrow.encoders.graph_builder import CONTRIB, GraphBuilder, TensorFile
from windrow.encoders.layout import (
    ADAPTED_TOP_FILE,
    FEATURE_LAYERS,
    TENSORS_FILE,
    TOP_FILE,
    TRUNK_FILE,
    adapted_projections,
    feature_size,
    top_layers,
)

_OPSET = 23
_IR_VERSION = 11


def write_graphs(folder: EncoderFolder, weights: Mapping[str, Floats], directory: Path) -> None:
    """Write three ONNX graphs and the one file with the tensors that they share.

    All of them take packed texts; only attention uses a padded grid (:class:`windrow.arrays.Packing`).

    - ``trunk.onnx``: token_ids [T], positions [T] and the packing to ``states`` [T, hidden].
    - ``top.onnx``: states [T, hidden], pooling [B, T] and the packing to ``features`` [B, feature_size]: the
      pooled, L2-normalised states of each of the last three layers, side by side.
    - ``adapted_top.onnx``: the same, with a low-rank change of each projection of the top layers: ``down`` [r, all
      projections' inputs] and ``up`` [r, all projections' outputs], float16, r from 0, side by side in the order of
      :func:`windrow.encoders.layout.adapted_projections`, and ``rank_mask`` [T, r], the weight of each rank for each
      token. It is separate from ``top.onnx`` because a hundred more nodes would slow down a text without an adapter.

    Args:
        folder: The encoder's sizes.
        weights: Its tensors (:func:`windrow.encoders.weights.load_weights`).
        directory: An existing, empty directory.
    """
    with (directory / TENSORS_FILE).open("wb") as file:
        store = TensorFile(file, TENSORS_FILE)
        _save(_trunk(GraphBuilder(folder, weights, store)), directory / TRUNK_FILE)
        _save(_top(GraphBuilder(folder, weights, store, adapted=False)), directory / TOP_FILE)
        _save(_top(GraphBuilder(folder, weights, store, adapted=True)), directory / ADAPTED_TOP_FILE)


def _save(builder: GraphBuilder, path: Path) -> None:
    path.write_bytes(builder.model(path.stem, _OPSET, _IR_VERSION))


def _add_packing_inputs(builder: GraphBuilder) -> None:
    builder.add_input("padded_index", TensorProto.INT64, "B", "L")
    builder.add_input("packed_index", TensorProto.INT64, "T")
    builder.add_input("lengths", TensorProto.INT32, "B")


def _trunk(builder: GraphBuilder) -> GraphBuilder:
    words = builder.node("Gather", builder.weight("word"), builder.add_input("token_ids", TensorProto.INT64, "T"))
    positions = builder.node(
        "Gather", builder.weight("position"), builder.add_input("positions", TensorProto.INT64, "T")
    )
    embedded = builder.norm("embeddings_norm", builder.node("Add", words, positions))
    _add_packing_inputs(builder)
    below = range(top_layers(builder.folder).start)
    builder.add_output("states", _layers(builder, embedded, below)[-1], "T", builder.folder.hidden_size)
    return builder


def _top(builder: GraphBuilder) -> GraphBuilder:
    states = builder.add_input("states", TensorProto.FLOAT, "T", builder.folder.hidden_size)
    _add_packing_inputs(builder)
    pooling = builder.add_input("pooling", TensorProto.FLOAT, "B", "T")
    if builder.adapted:
        builder.add_input("rank_mask", TensorProto.FLOAT, "T", "r")
        _add_adapter_inputs(builder)
    reached = _layers(builder, states, top_layers(builder.folder))[1:][-FEATURE_LAYERS:]
    # LpNormalization leaves a zero vector as it is, so nothing divides by zero.
    thirds = [
        builder.node("LpNormalization", builder.node("MatMul", pooling, states), axis=-1, p=2) for states in reached
    ]
    builder.add_output("features", builder.node("Concat", *thirds, axis=-1), "B", feature_size(builder.folder))
    return builder


def _add_adapter_inputs(builder: GraphBuilder) -> None:
    """Add all low-rank changes as two inputs: two per projection would cost a short text half a millisecond to bind."""
    projections = dict(adapted_projections(builder.folder))
    for axis, side in enumerate(("down", "up")):
        sizes = [shape[axis] for shape in projections.values()]
        wide = builder.node("Cast", builder.add_input(side, TensorProto.FLOAT16, "r", sum(sizes)), to=TensorProto.FLOAT)
        widths = builder.constant(f"{side}_widths", np.array(sizes))
        builder.nodes.append(
            helper.make_node("Split", [wide, widths], [f"{name}.{side}" for name in projections], axis=1)
        )


def _layers(builder: GraphBuilder, states: str, layers: Sequence[int]) -> list[str]:
    """Return the states before the first of ``layers`` and after each one."""
    bias = builder.relative_bias("padded_index") if builder.folder.family == "mpnet" and layers else ""
    reached = [states]
    for layer in layers:
        reached.append(_layer(builder, f"layers.{layer}", reached[-1], bias))
    return reached


def _layer(builder: GraphBuilder, layer: str, states: str, bias: str) -> str:
    grids = [
        builder.node("Gather", _linear(builder, f"{layer}.{name}", states), "padded_index")
        for name in ("query", "key", "value")
    ]
    heads = builder.folder.heads
    attended = builder.node("MultiHeadAttention", *grids, "", "lengths", bias, domain=CONTRIB, num_heads=heads)
    cells = builder.node("Reshape", attended, builder.constant("cells", np.array([-1, builder.folder.hidden_size])))
    packed = _linear(builder, f"{layer}.attention_out", builder.node("Gather", cells, "packed_index"))
    states = builder.norm(f"{layer}.attention_norm", builder.node("Add", packed, states))
    expanded = builder.node("Gelu", _linear(builder, f"{layer}.expand", states))
    contracted = _linear(builder, f"{layer}.contract", expanded)
    return builder.norm(f"{layer}.output_norm", builder.node("Add", contracted, states))


def _linear(builder: GraphBuilder, name: str, values: str) -> str:
    result = builder.linear(name, values)
    if not builder.adapted:
        return result
    narrow = builder.node("Mul", builder.node("Gemm", values, f"{name}.down", transB=1), "rank_mask")
    return builder.node("Gemm", narrow, f"{name}.up", result)
