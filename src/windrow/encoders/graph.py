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
    TOP_FILE,
    TRUNK_FILE,
    adapted_maps,
    feature_size,
    top_layers,
)

_OPSET = 23
_IR_VERSION = 11
_CONTRIB = "com.microsoft"
_TENSORS_FILE = "tensors.bin"
# ONNX Runtime maps a tensor straight from the file only where it starts on a page.
_PAGE_BYTES = 4096
_INLINE_BYTES = 16_384


def write_graphs(folder: EncoderFolder, weights: Mapping[str, Floats], directory: Path) -> None:
    """Write three ONNX graphs and the one file with the tensors that they share.

    Texts lie end to end in all of them; only attention sees a padded grid (:class:`windrow.arrays.Packing`).

    - ``trunk.onnx``: token_ids [T], positions [T] and the packing to ``states`` [T, hidden].
    - ``top.onnx``: states [T, hidden], pooling [B, T] and the packing to ``features`` [B, feature_size]: the
      pooled, L2-normalised states of each of the last three layers, side by side.
    - ``adapted_top.onnx``: the same, with a low-rank change of each map of the top layers: ``down`` [r, all maps'
      inputs] and ``up`` [r, all maps' outputs], float16, r from 0, side by side in the order of
      :func:`windrow.encoders.layout.adapted_maps`, and ``rank_mask`` [T, r], which says how much of each rank a token
      gets. Apart from ``top.onnx`` because a hundred more nodes cost a short text without an adapter more time.

    Args:
        folder: The encoder's sizes.
        weights: Its tensors (:func:`windrow.encoders.weights.load_weights`).
        directory: An existing, empty directory.
    """
    with (directory / _TENSORS_FILE).open("wb") as file:
        store = _TensorFile(file)
        _save(_trunk(_Draft(folder, weights, store)), directory / TRUNK_FILE)
        _save(_top(_Draft(folder, weights, store, adapted=False)), directory / TOP_FILE)
        _save(_top(_Draft(folder, weights, store, adapted=True)), directory / ADAPTED_TOP_FILE)


@dataclass(frozen=True, slots=True)
class _TensorFile:
    """The file of large tensors; each is written once, however many graphs refer to it."""

    file: BinaryIO
    placed: dict[str, onnx.TensorProto] = field(default_factory=dict)

    def place(self, name: str, array: npt.NDArray[np.generic]) -> onnx.TensorProto:
        if name not in self.placed:
            contiguous = np.ascontiguousarray(array)
            inline = contiguous.nbytes <= _INLINE_BYTES
            self.placed[name] = numpy_helper.from_array(contiguous, name) if inline else self._write(name, contiguous)
        return self.placed[name]

    def _write(self, name: str, array: npt.NDArray[np.generic]) -> onnx.TensorProto:
        self.file.write(b"\0" * (-self.file.tell() % _PAGE_BYTES))
        tensor = onnx.TensorProto(name=name, dims=array.shape, data_type=helper.np_dtype_to_tensor_dtype(array.dtype))
        tensor.data_location = TensorProto.EXTERNAL
        place = {"location": _TENSORS_FILE, "offset": self.file.tell(), "length": array.nbytes}
        for key, value in place.items():
            tensor.external_data.add(key=key, value=str(value))
        self.file.write(array.data)
        return tensor


@dataclass(frozen=True, slots=True)
class _Draft:
    """A graph in the making, and the encoder that it is made for."""

    folder: EncoderFolder
    weights: Mapping[str, Floats]
    store: _TensorFile
    adapted: bool = False
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    tensors: dict[str, onnx.TensorProto] = field(default_factory=dict)
    inputs: list[onnx.ValueInfoProto] = field(default_factory=list)
    outputs: list[onnx.ValueInfoProto] = field(default_factory=list)

    def take(self, name: str, kind: int, *shape: int | str) -> str:
        self.inputs.append(helper.make_tensor_value_info(name, kind, shape))
        return name

    def take_packing(self) -> None:
        self.take("padded_index", TensorProto.INT64, "B", "L")
        self.take("packed_index", TensorProto.INT64, "T")
        self.take("lengths", TensorProto.INT32, "B")

    def give(self, name: str, value: str, *shape: int | str) -> None:
        self.nodes.append(helper.make_node("Identity", [value], [name]))
        self.outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))

    def constant(self, name: str, value: npt.ArrayLike) -> str:
        self.tensors[name] = self.store.place(name, np.asarray(value))
        return name

    def weight(self, name: str) -> str:
        return self.constant(name, self.weights[name])

    def node(self, kind: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        output = f"value.{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], domain=domain, **attributes))
        return output


def _save(draft: _Draft, path: Path) -> None:
    graph = helper.make_graph(draft.nodes, path.stem, draft.inputs, draft.outputs, list(draft.tensors.values()))
    opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_CONTRIB, 1)]
    path.write_bytes(helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION).SerializeToString())


def _trunk(draft: _Draft) -> _Draft:
    words = draft.node("Gather", draft.weight("word"), draft.take("token_ids", TensorProto.INT64, "T"))
    places = draft.node("Gather", draft.weight("position"), draft.take("positions", TensorProto.INT64, "T"))
    embedded = _norm(draft, "embeddings_norm", draft.node("Add", words, places))
    draft.take_packing()
    below = range(top_layers(draft.folder).start)
    draft.give("states", _layers(draft, embedded, below)[-1], "T", draft.folder.hidden_size)
    return draft


def _top(draft: _Draft) -> _Draft:
    states = draft.take("states", TensorProto.FLOAT, "T", draft.folder.hidden_size)
    draft.take_packing()
    pooling = draft.take("pooling", TensorProto.FLOAT, "B", "T")
    if draft.adapted:
        draft.take("rank_mask", TensorProto.FLOAT, "T", "r")
        _take_changes(draft)
    reached = _layers(draft, states, top_layers(draft.folder))[1:][-FEATURE_LAYERS:]
    # LpNormalization leaves a zero vector as it is, so nothing divides by zero.
    thirds = [draft.node("LpNormalization", draft.node("MatMul", pooling, states), axis=-1, p=2) for states in reached]
    draft.give("features", draft.node("Concat", *thirds, axis=-1), "B", feature_size(draft.folder))
    return draft


def _take_changes(draft: _Draft) -> None:
    """Take all low-rank changes as two inputs: binding two for each map would cost a short text half a millisecond."""
    maps = dict(adapted_maps(draft.folder))
    for axis, side in enumerate(("down", "up")):
        sizes = [shape[axis] for shape in maps.values()]
        wide = draft.node("Cast", draft.take(side, TensorProto.FLOAT16, "r", sum(sizes)), to=TensorProto.FLOAT)
        widths = draft.constant(f"{side}_widths", np.array(sizes))
        draft.nodes.append(helper.make_node("Split", [wide, widths], [f"{name}.{side}" for name in maps], axis=1))


def _layers(draft: _Draft, states: str, layers: Sequence[int]) -> list[str]:
    """Return the states before the first of ``layers`` and after each one."""
    bias = _relative_bias(draft) if draft.folder.family == "mpnet" and layers else ""
    reached = [states]
    for layer in layers:
        reached.append(_layer(draft, f"layers.{layer}", reached[-1], bias))
    return reached


def _layer(draft: _Draft, layer: str, states: str, bias: str) -> str:
    grids = [
        draft.node("Gather", _linear(draft, f"{layer}.{name}", states), "padded_index")
        for name in ("query", "key", "value")
    ]
    heads = draft.folder.heads
    attended = draft.node("MultiHeadAttention", *grids, "", "lengths", bias, domain=_CONTRIB, num_heads=heads)
    cells = draft.node("Reshape", attended, draft.constant("cells", np.array([-1, draft.folder.hidden_size])))
    packed = _linear(draft, f"{layer}.attention_out", draft.node("Gather", cells, "packed_index"))
    states = _norm(draft, f"{layer}.attention_norm", draft.node("Add", packed, states))
    expanded = draft.node("Gelu", _linear(draft, f"{layer}.expand", states))
    contracted = _linear(draft, f"{layer}.contract", expanded)
    return _norm(draft, f"{layer}.output_norm", draft.node("Add", contracted, states))


def _linear(draft: _Draft, name: str, values: str) -> str:
    product = draft.node("MatMul", values, draft.weight(f"{name}.weight"))
    result = draft.node("Add", product, draft.weight(f"{name}.bias"))
    if not draft.adapted:
        return result
    narrow = draft.node("Mul", draft.node("Gemm", values, f"{name}.down", transB=1), "rank_mask")
    return draft.node("Gemm", narrow, f"{name}.up", result)


def _norm(draft: _Draft, name: str, values: str) -> str:
    scale, shift = draft.weight(f"{name}.weight"), draft.weight(f"{name}.bias")
    return draft.node("LayerNormalization", values, scale, shift, axis=-1, epsilon=draft.folder.layer_norm_epsilon)


def _relative_bias(draft: _Draft) -> str:
    """Return what MPNet adds to attention scores for the distance between two tokens; shape [1, heads, L, L]."""
    reach = draft.folder.max_tokens - 1
    zero, one = draft.constant("zero", np.int64(0)), draft.constant("one", np.int64(1))
    first, last = draft.constant("first_axis", np.array([0])), draft.constant("last_axis", np.array([1]))
    longest = draft.node("Gather", draft.node("Shape", "padded_index"), one)
    places = draft.node("Range", zero, longest, one)
    distance = draft.node("Sub", draft.node("Unsqueeze", places, first), draft.node("Unsqueeze", places, last))
    index = draft.node("Add", distance, draft.constant("reach", np.int64(reach)))
    bias = draft.node("Gather", draft.weight("bias_by_distance"), index, axis=1)
    return draft.node("Unsqueeze", bias, first)
