"""What the graphs promise by themselves: small files, and nothing divided by zero."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pytest

from tests.encoders.adapters import adapter_for
from windrow.arrays import pack, pooling_matrix
from windrow.encoders.folder import EncoderFolder
from windrow.encoders.graph import write_graphs
from windrow.encoders.weights import load_weights

LENGTHS = np.array([3, 7, 5, 2])


@pytest.fixture(scope="session")
def graphs(tiny_folder: EncoderFolder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("graphs")
    write_graphs(tiny_folder, load_weights(tiny_folder), directory)
    return directory


@pytest.fixture(scope="session")
def adapted_top(graphs: Path) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(graphs / "adapted_top.onnx", providers=["CPUExecutionProvider"])


def inputs() -> dict[str, npt.NDArray[Any]]:
    packing = pack(LENGTHS)
    states = np.random.default_rng(3).standard_normal((int(LENGTHS.sum()), 32)).astype(np.float32)
    return {
        "states": states,
        "pooling": pooling_matrix(LENGTHS, "mean"),
        "padded_index": packing.padded_index,
        "packed_index": packing.packed_index,
        "lengths": packing.lengths,
    }


def test_a_pooled_state_of_zeros_gives_zeros(
    tiny_folder: EncoderFolder, adapted_top: onnxruntime.InferenceSession
) -> None:
    empty = adapter_for(tiny_folder, rank=0)
    tokens = int(LENGTHS.sum())
    changes = {"down": empty.down, "up": empty.up, "rank_mask": np.ones((tokens, 0), np.float32)}
    features = adapted_top.run(None, inputs() | changes | {"pooling": np.zeros((4, tokens), np.float32)})[0]
    assert not features.any()


@pytest.mark.parametrize("name", ["trunk", "top", "adapted_top"])
def test_a_graph_is_small_and_sound_and_its_tensors_lie_on_pages(
    name: str, tiny_folder: EncoderFolder, graphs: Path
) -> None:
    model = onnx.load(graphs / f"{name}.onnx", load_external_data=False)
    onnx.checker.check_model(str(graphs / f"{name}.onnx"))
    outside = [
        {entry.key: entry.value for entry in t.external_data} for t in model.graph.initializer if t.external_data
    ]
    assert all(int(place["offset"]) % 4096 == 0 and place["location"] == "tensors.bin" for place in outside)
