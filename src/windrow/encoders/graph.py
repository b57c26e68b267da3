"""The encoder as ONNX graphs: the frozen trunk, and the top layers with and without an adapter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from windrow.arrays import Floats
from windrow.encoders.folder import EncoderFolder
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
_CONTRIB = "com.microsoft"
# ONNX Runtime maps a tensor straight from the file only where it starts on a page.
_PAGE_BYTES = 4096
_INLINE_BYTES = 16_384


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
        store = _TensorFile(file)
        _save(_trunk(_GraphBuilder(folder, weights, store)), directory / TRUNK_FILE)
        _save(_top(_GraphBuilder(folder, weights, store, adapted=False)), directory / TOP_FILE)
        _save(_top(_GraphBuilder(folder, weights, store, adapted=True)), directory / ADAPTED_TOP_FILE)


@dataclass(frozen=True, slots=True)
class _TensorFile:
    """The file of large tensors; each is written once, however many graphs refer to it."""

    file: BinaryIO
    tensors: dict[str, onnx.TensorProto] = field(default_factory=dict)

    def add(self, name: str, array: npt.NDArray[np.generic]) -> onnx.TensorProto:
        if name not in self.tensors:
            contiguous = np.ascontiguousarray(array)
            inline = contiguous.nbytes <= _INLINE_BYTES
            self.tensors[name] = numpy_helper.from_array(contiguous, name) if inline else self._write(name, contiguous)
        return self.tensors[name]

    def _write(self, name: str, array: npt.NDArray[np.generic]) -> onnx.TensorProto:
        self.file.write(b"\0" * (-self.file.tell() % _PAGE_BYTES))
        tensor = onnx.TensorProto(name=name, dims=array.shape, data_type=helper.np_dtype_to_tensor_dtype(array.dtype))
        tensor.data_location = TensorProto.EXTERNAL
        location = {"location": TENSORS_FILE, "offset": self.file.tell(), "length": array.nbytes}
        for key, value in location.items():
            tensor.external_data.add(key=key, value=str(value))
        self.file.write(array.data)
        return tensor


@dataclass(frozen=True, slots=True)
class _GraphBuilder:
    """Collects the nodes and tensors of one graph of an encoder."""

    folder: EncoderFolder
    weights: Mapping[str, Floats]
    store: _TensorFile
    adapted: bool = False
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    tensors: dict[str, onnx.TensorProto] = field(default_factory=dict)
    inputs: list[onnx.ValueInfoProto] = field(default_factory=list)
    outputs: list[onnx.ValueInfoProto] = field(default_factory=list)

    def add_input(self, name: str, kind: int, *shape: int | str) -> str:
        self.inputs.append(helper.make_tensor_value_info(name, kind, shape))
        return name

    def add_packing_inputs(self) -> None:
        self.add_input("padded_index", TensorProto.INT64, "B", "L")
        self.add_input("packed_index", TensorProto.INT64, "T")
        self.add_input("lengths", TensorProto.INT32, "B")

    def add_output(self, name: str, value: str, *shape: int | str) -> None:
        self.nodes.append(helper.make_node("Identity", [value], [name]))
        self.outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))

    def constant(self, name: str, value: npt.ArrayLike) -> str:
        self.tensors[name] = self.store.add(name, np.asarray(value))
        return name

    def weight(self, name: str) -> str:
        return self.constant(name, self.weights[name])

    def node(self, kind: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        output = f"value.{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], domain=domain, **attributes))
        return output


def _save(builder: _GraphBuilder, path: Path) -> None:
    graph = helper.make_graph(builder.nodes, path.stem, builder.inputs, builder.outputs, list(builder.tensors.values()))
    opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_CONTRIB, 1)]
    path.write_bytes(helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION).SerializeToString())


def _trunk(builder: _GraphBuilder) -> _GraphBuilder:
    words = builder.node("Gather", builder.weight("word"), builder.add_input("token_ids", TensorProto.INT64, "T"))
    positions = builder.node(
        "Gather", builder.weight("position"), builder.add_input("positions", TensorProto.INT64, "T")
    )
    embedded = _norm(builder, "embeddings_norm", builder.node("Add", words, positions))
    builder.add_packing_inputs()
    below = range(top_layers(builder.folder).start)
    builder.add_output("states", _layers(builder, embedded, below)[-1], "T", builder.folder.hidden_size)
    return builder


def _top(builder: _GraphBuilder) -> _GraphBuilder:
    states = builder.add_input("states", TensorProto.FLOAT, "T", builder.folder.hidden_size)
    builder.add_packing_inputs()
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


def _add_adapter_inputs(builder: _GraphBuilder) -> None:
    """Add all low-rank changes as two inputs: two per projection would cost a short text half a millisecond to bind."""
    projections = dict(adapted_projections(builder.folder))
    for axis, side in enumerate(("down", "up")):
        sizes = [shape[axis] for shape in projections.values()]
        wide = builder.node("Cast", builder.add_input(side, TensorProto.FLOAT16, "r", sum(sizes)), to=TensorProto.FLOAT)
        widths = builder.constant(f"{side}_widths", np.array(sizes))
        builder.nodes.append(
            helper.make_node("Split", [wide, widths], [f"{name}.{side}" for name in projections], axis=1)
        )


def _layers(builder: _GraphBuilder, states: str, layers: Sequence[int]) -> list[str]:
    """Return the states before the first of ``layers`` and after each one."""
    bias = _relative_bias(builder) if builder.folder.family == "mpnet" and layers else ""
    reached = [states]
    for layer in layers:
        reached.append(_layer(builder, f"layers.{layer}", reached[-1], bias))
    return reached


def _layer(builder: _GraphBuilder, layer: str, states: str, bias: str) -> str:
    grids = [
        builder.node("Gather", _linear(builder, f"{layer}.{name}", states), "padded_index")
        for name in ("query", "key", "value")
    ]
    heads = builder.folder.heads
    attended = builder.node("MultiHeadAttention", *grids, "", "lengths", bias, domain=_CONTRIB, num_heads=heads)
    cells = builder.node("Reshape", attended, builder.constant("cells", np.array([-1, builder.folder.hidden_size])))
    packed = _linear(builder, f"{layer}.attention_out", builder.node("Gather", cells, "packed_index"))
    states = _norm(builder, f"{layer}.attention_norm", builder.node("Add", packed, states))
    expanded = builder.node("Gelu", _linear(builder, f"{layer}.expand", states))
    contracted = _linear(builder, f"{layer}.contract", expanded)
    return _norm(builder, f"{layer}.output_norm", builder.node("Add", contracted, states))


def _linear(builder: _GraphBuilder, name: str, values: str) -> str:
    product = builder.node("MatMul", values, builder.weight(f"{name}.weight"))
    result = builder.node("Add", product, builder.weight(f"{name}.bias"))
    if not builder.adapted:
        return result
    narrow = builder.node("Mul", builder.node("Gemm", values, f"{name}.down", transB=1), "rank_mask")
    return builder.node("Gemm", narrow, f"{name}.up", result)


def _norm(builder: _GraphBuilder, name: str, values: str) -> str:
    scale, shift = builder.weight(f"{name}.weight"), builder.weight(f"{name}.bias")
    return builder.node("LayerNormalization", values, scale, shift, axis=-1, epsilon=builder.folder.layer_norm_epsilon)


def _relative_bias(builder: _GraphBuilder) -> str:
    """Return MPNet's relative position bias of the attention scores; shape [1, heads, L, L]."""
    reach = builder.folder.max_tokens - 1
    zero, one = builder.constant("zero", np.int64(0)), builder.constant("one", np.int64(1))
    first, last = builder.constant("first_axis", np.array([0])), builder.constant("last_axis", np.array([1]))
    longest = builder.node("Gather", builder.node("Shape", "padded_index"), one)
    positions = builder.node("Range", zero, longest, one)
    distance = builder.node(
        "Sub", builder.node("Unsqueeze", positions, first), builder.node("Unsqueeze", positions, last)
    )
    index = builder.node("Add", distance, builder.constant("reach", np.int64(reach)))
    bias = builder.node("Gather", builder.weight("bias_by_distance"), index, axis=1)
    return builder.node("Unsqueeze", bias, first)
