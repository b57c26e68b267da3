"""A whole classifier as one ONNX graph of standard operators, from token ids to the probabilities of labels."""

import math
from dataclasses import dataclass, field

import numpy as np
from onnx import TensorProto

from windrow.arrays import Floats
from windrow.domain.prediction import Kind
from windrow.encoders.adapters import LowRankChanges
from windrow.encoders.folder import EncoderFolder
from windrow.encoders.graph_builder import GraphBuilder, TensorFile
from windrow.encoders.layout import FEATURE_LAYERS, adapted_projections
from windrow.encoders.weights import load_weights

GRAPH_FILE = "model.onnx"
# As other programs call what lies beside a graph.
GRAPH_DATA_FILE = "model.onnx.data"
# The oldest that have Gelu, so that older runtimes open it too.
_OPSET = 20
_IR_VERSION = 9
# What is added to the attention score of padding: its share is exactly 0 then.
_NO_ATTENTION = -1e9


@dataclass(frozen=True, slots=True, eq=False)
class GraphFiles:
    """The two files of a graph, which lie side by side.

    Args:
        graph: The content of ``GRAPH_FILE``.
        data: The content of ``GRAPH_DATA_FILE``, in pieces.
    """

    graph: bytes
    data: tuple[bytes | memoryview, ...]


def build_classifier_graph(
    folder: EncoderFolder, adapter: LowRankChanges | None, weights: Floats, bias: Floats, kind: Kind
) -> GraphFiles:
    """Return a classifier as one graph.

    It takes ``input_ids`` [B, L] and ``attention_mask`` [B, L], int64, 1 for a token and 0 for padding on the right,
    and gives ``probabilities`` [B, labels], float32. Equal arguments give equal bytes.

    Args:
        folder: The encoder.
        adapter: The changes of its projections, which are added to its weights; ``None`` for none.
        weights: Those of the calibrated head; shape [labels, features], float32.
        bias: That of the calibrated head; shape [labels], float32.
        kind: Whether the labels exclude each other (softmax) or stand for themselves (sigmoid).

    Raises:
        InvalidBaseModel: The encoder's weights cannot be read.
    """
    collected = _Pieces()
    encoder = _adapted(folder, load_weights(folder), adapter)
    builder = GraphBuilder(folder, encoder, TensorFile(collected, GRAPH_DATA_FILE))
    ids = builder.add_input("input_ids", TensorProto.INT64, "B", "L")
    mask = builder.node("Cast", builder.add_input("attention_mask", TensorProto.INT64, "B", "L"), to=TensorProto.FLOAT)
    features = _features(builder, ids, mask)
    product = builder.node("MatMul", features, builder.constant("head.weight", weights.T))
    logits = builder.node("Add", product, builder.constant("head.bias", bias))
    scores = builder.node("Sigmoid", logits) if kind == "multi_label" else builder.node("Softmax", logits, axis=-1)
    builder.add_output("probabilities", scores, "B", len(bias))
    return GraphFiles(builder.model("classifier", _OPSET, _IR_VERSION), tuple(collected.pieces))


@dataclass(slots=True)
class _Pieces:
    """Keeps what is written as it is, so that nothing large is copied."""

    pieces: list[bytes | memoryview] = field(default_factory=list)
    size_bytes: int = 0

    def write(self, data: bytes | memoryview) -> None:
        piece = data if isinstance(data, bytes) else data.cast("B")
        self.pieces.append(piece)
        self.size_bytes += len(piece)

    def tell(self) -> int:
        return self.size_bytes


def _adapted(folder: EncoderFolder, weights: dict[str, Floats], adapter: LowRankChanges | None) -> dict[str, Floats]:
    """Return the encoder's tensors with the adapter added to its projections."""
    for name, _ in adapted_projections(folder) if adapter else ():
        if adapter and f"{name}.down" in adapter:
            down, up = (adapter[f"{name}.{side}"].astype(np.float32) for side in ("down", "up"))
            weights[f"{name}.weight"] = weights[f"{name}.weight"] + down @ up
    return weights


def _features(builder: GraphBuilder, ids: str, mask: str) -> str:
    """Add the pooled, L2-normalised states of each of the last three layers, side by side; shape [B, features]."""
    words = builder.node("Gather", builder.weight("word"), ids)
    positions = builder.node("Gather", builder.weight("position"), builder.places(ids))
    states = builder.norm("embeddings_norm", builder.node("Add", words, positions))
    attention_bias = _attention_bias(builder, ids, mask)
    reached = []
    for layer in range(builder.folder.layers):
        states = _layer(builder, f"layers.{layer}", states, attention_bias)
        reached.append(states)
    thirds = [
        builder.node("LpNormalization", _pool(builder, states, mask), axis=-1, p=2)
        for states in reached[-FEATURE_LAYERS:]
    ]
    return builder.node("Concat", *thirds, axis=-1)


def _attention_bias(builder: GraphBuilder, ids: str, mask: str) -> str:
    """Add what is added to attention scores; shape [B, 1, 1, L], for MPNet [B, heads, L, L]."""
    padding = builder.node("Sub", builder.constant("attended", np.float32(1)), mask)
    masked = builder.node("Mul", padding, builder.constant("no_attention", np.float32(_NO_ATTENTION)))
    wide = builder.node("Unsqueeze", masked, builder.constant("heads_and_queries", np.array([1, 2])))
    return builder.node("Add", builder.relative_bias(ids), wide) if builder.folder.family == "mpnet" else wide


def _layer(builder: GraphBuilder, layer: str, states: str, attention_bias: str) -> str:
    attended = builder.linear(f"{layer}.attention_out", _attention(builder, layer, states, attention_bias))
    states = builder.norm(f"{layer}.attention_norm", builder.node("Add", attended, states))
    expanded = builder.node("Gelu", builder.linear(f"{layer}.expand", states))
    contracted = builder.linear(f"{layer}.contract", expanded)
    return builder.norm(f"{layer}.output_norm", builder.node("Add", contracted, states))


def _attention(builder: GraphBuilder, layer: str, states: str, bias: str) -> str:
    heads, width = builder.folder.heads, builder.folder.hidden_size // builder.folder.heads
    split = builder.constant("split_heads", np.array([0, 0, heads, width]))
    query, key, value = (
        builder.node("Transpose", builder.node("Reshape", builder.linear(f"{layer}.{name}", states), split), perm=perm)
        for name, perm in (("query", (0, 2, 1, 3)), ("key", (0, 2, 3, 1)), ("value", (0, 2, 1, 3)))
    )
    scale = builder.constant("attention_scale", np.float32(1 / math.sqrt(width)))
    scores = builder.node("Add", builder.node("Mul", builder.node("MatMul", query, key), scale), bias)
    attended = builder.node("MatMul", builder.node("Softmax", scores, axis=-1), value)
    joined = builder.constant("join_heads", np.array([0, 0, builder.folder.hidden_size]))
    return builder.node("Reshape", builder.node("Transpose", attended, perm=(0, 2, 1, 3)), joined)


def _pool(builder: GraphBuilder, states: str, mask: str) -> str:
    """Add the state of each text: the mean of its tokens' states, or the first one; shape [B, hidden]."""
    if builder.folder.pooling == "cls":
        return builder.node("Gather", states, builder.constant("zero", np.int64(0)), axis=1)
    row = builder.node("Unsqueeze", mask, builder.constant("last_axis", np.array([1])))
    sums = builder.node("Squeeze", builder.node("MatMul", row, states), builder.constant("last_axis", np.array([1])))
    counts = builder.node("ReduceSum", mask, builder.constant("last_axis", np.array([1])), keepdims=1)
    return builder.node("Div", sums, counts)
