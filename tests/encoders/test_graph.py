"""What the graphs promise beyond one adapter at a time: rows with different adapters, and nothing divided by zero."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pytest

from tests.encoders.adapters import adapter_for
from windrow.encoders.folder import EncoderFolder
from windrow.encoders.graph import write_graphs
from windrow.encoders.packing import pack
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
        "pooling": packing.pooling("mean"),
        "padded_index": packing.padded_index,
        "packed_index": packing.packed_index,
        "lengths": packing.lengths,
    }


def test_rows_with_different_adapters_share_a_batch(
    tiny_folder: EncoderFolder, adapted_top: onnxruntime.InferenceSession
) -> None:
    first, second = adapter_for(tiny_folder, 2, seed=1), adapter_for(tiny_folder, 3, seed=2)
    tokens = int(LENGTHS.sum())
    apart = [
        adapted_top.run(None, inputs() | one | {"rank_mask": np.ones((tokens, rank), np.float32)})[0]
        for one, rank in ((first, 2), (second, 3))
    ]
    both = {name: np.concatenate([first[name], second[name]], axis=int(name.endswith(".down"))) for name in first}
    takes_first = np.repeat([True, False, False, True], LENGTHS)
    mask = np.where(takes_first[:, None], [1, 1, 0, 0, 0], [0, 0, 1, 1, 1]).astype(np.float32)
    together = adapted_top.run(None, inputs() | both | {"rank_mask": mask})[0]
    np.testing.assert_allclose(together[[0, 3]], apart[0][[0, 3]], atol=1e-5)
    np.testing.assert_allclose(together[[1, 2]], apart[1][[1, 2]], atol=1e-5)
    assert np.abs(apart[0] - apart[1]).max() > 0.01


def test_a_pooled_state_of_zeros_gives_zeros(
    tiny_folder: EncoderFolder, adapted_top: onnxruntime.InferenceSession
) -> None:
    empty = adapter_for(tiny_folder, 0) | {"rank_mask": np.ones((int(LENGTHS.sum()), 0), np.float32)}
    features = adapted_top.run(None, inputs() | empty | {"pooling": np.zeros((4, int(LENGTHS.sum())), np.float32)})[0]
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
