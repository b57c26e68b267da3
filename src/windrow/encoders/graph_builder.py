"""Collect the nodes and tensors of an ONNX graph of an encoder, with large tensors in a file beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from windrow.arrays import Floats
from windrow.encoders.folder import EncoderFolder

# The operators that ONNX Runtime has beside those of the standard.
CONTRIB = "com.microsoft"
# ONNX Runtime maps a tensor straight from the file only where it starts on a page.
_PAGE_BYTES = 4096
_INLINE_BYTES = 16_384


class TensorSink(Protocol):
    """Where large tensors are written, one after the other."""

    def write(self, data: bytes | memoryview, /) -> object:
        """Write some bytes after those before."""
        ...

    def tell(self) -> int:
        """Return how many bytes were written."""
        ...


@dataclass(frozen=True, slots=True)
class TensorFile:
    """The file of large tensors; each is written once, however many graphs refer to it.

    Args:
        file: Where they are written.
        name: What the graphs call the file, which lies beside them.
        tensors: Those that were added, by name.
    """

    file: TensorSink
    name: str
    tensors: dict[str, onnx.TensorProto] = field(default_factory=dict)

    def add(self, name: str, array: npt.NDArray[np.generic]) -> onnx.TensorProto:
        """Return a tensor for a graph; its numbers stand in the graph where they are few, else in the file."""
        if name not in self.tensors:
            contiguous = np.asarray(array, order="C")  # which leaves a number one, unlike ascontiguousarray
            inline = contiguous.nbytes <= _INLINE_BYTES
            self.tensors[name] = numpy_helper.from_array(contiguous, name) if inline else self._write(name, contiguous)
        return self.tensors[name]

    def _write(self, name: str, array: npt.NDArray[np.generic]) -> onnx.TensorProto:
        self.file.write(b"\0" * (-self.file.tell() % _PAGE_BYTES))
        tensor = onnx.TensorProto(name=name, dims=array.shape, data_type=helper.np_dtype_to_tensor_dtype(array.dtype))
        tensor.data_location = TensorProto.EXTERNAL
        location = {"location": self.name, "offset": self.file.tell(), "length": array.nbytes}
        for key, value in location.items():
            tensor.external_data.add(key=key, value=str(value))
        self.file.write(array.data)
        return tensor


@dataclass(frozen=True, slots=True)
class GraphBuilder:
    """Collects the nodes and tensors of one graph of an encoder.

    Args:
        folder: The encoder's sizes.
        weights: Its tensors (:func:`windrow.encoders.weights.load_weights`).
        store: Where large tensors go.
        adapted: Whether the graph takes an adapter as an input.
        nodes: What was added, in an order in which it can be computed.
        tensors: Those that the nodes use, by name.
        inputs: What the graph takes.
        outputs: What the graph gives.
    """

    folder: EncoderFolder
    weights: Mapping[str, Floats]
    store: TensorFile
    adapted: bool = False
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    tensors: dict[str, onnx.TensorProto] = field(default_factory=dict)
    inputs: list[onnx.ValueInfoProto] = field(default_factory=list)
    outputs: list[onnx.ValueInfoProto] = field(default_factory=list)

    def add_input(self, name: str, kind: int, *shape: int | str) -> str:
        """Add an input of the graph, and return its name."""
        self.inputs.append(helper.make_tensor_value_info(name, kind, shape))
        return name

    def add_output(self, name: str, value: str, *shape: int | str) -> None:
        """Make a value an output of the graph."""
        self.nodes.append(helper.make_node("Identity", [value], [name]))
        self.outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))

    def constant(self, name: str, value: npt.ArrayLike) -> str:
        """Add a tensor, and return its name."""
        self.tensors[name] = self.store.add(name, np.asarray(value))
        return name

    def weight(self, name: str) -> str:
        """Add one of the encoder's tensors, and return its name."""
        return self.constant(name, self.weights[name])

    def node(self, kind: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Add a node with one output, and return that output's name."""
        output = f"value.{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], domain=domain, **attributes))
        return output

    def linear(self, name: str, values: str) -> str:
        """Add one of the encoder's projections."""
        product = self.node("MatMul", values, self.weight(f"{name}.weight"))
        return self.node("Add", product, self.weight(f"{name}.bias"))

    def norm(self, name: str, values: str) -> str:
        """Add one of the encoder's layer normalisations."""
        scale, shift = self.weight(f"{name}.weight"), self.weight(f"{name}.bias")
        epsilon = self.folder.layer_norm_epsilon
        return self.node("LayerNormalization", values, scale, shift, axis=-1, epsilon=epsilon)

    def relative_bias(self, grid: str) -> str:
        """Add MPNet's relative position bias of the attention scores; shape [1, heads, L, L].

        Args:
            grid: A value of shape [B, L].
        """
        reach = self.folder.max_tokens - 1
        first, last = self.constant("first_axis", np.array([0])), self.constant("last_axis", np.array([1]))
        positions = self.places(grid)
        distance = self.node("Sub", self.node("Unsqueeze", positions, first), self.node("Unsqueeze", positions, last))
        index = self.node("Add", distance, self.constant("reach", np.int64(reach)))
        bias = self.node("Gather", self.weight("bias_by_distance"), index, axis=1)
        return self.node("Unsqueeze", bias, first)

    def places(self, grid: str) -> str:
        """Add the numbers 0 … L - 1 of the columns of a value of shape [B, L]."""
        zero, one = self.constant("zero", np.int64(0)), self.constant("one", np.int64(1))
        longest = self.node("Gather", self.node("Shape", grid), one)
        return self.node("Range", zero, longest, one)

    def model(self, name: str, opset: int, ir_version: int) -> bytes:
        """Return the graph as a file, which refers to the file of tensors.

        Args:
            name: What the graph is called.
            opset: The version of ONNX's operators.
            ir_version: The version of ONNX's format.
        """
        graph = helper.make_graph(self.nodes, name, self.inputs, self.outputs, list(self.tensors.values()))
        domains = dict.fromkeys(node.domain for node in self.nodes if node.domain)
        opsets = [helper.make_opsetid("", opset), *(helper.make_opsetid(domain, 1) for domain in domains)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=ir_version)
        content: bytes = model.SerializeToString(deterministic=True)
        return content
