"""A classifier as one graph gives what the encoder, its adapter and the head give, for every family."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pytest

from tests.encoders.adapters import changes_for
from tests.encoders.tiny import KINDS, write_tiny_folder
from windrow.domain.prediction import Kind
from windrow.encoders.adapters import LowRankChanges, pack_adapter
from windrow.encoders.bulk import encode
from windrow.encoders.classifier_graph import GRAPH_DATA_FILE, GRAPH_FILE, GraphFiles, build_classifier_graph
from windrow.encoders.folder import EncoderFolder, read_encoder_folder
from windrow.encoders.layout import feature_size
from windrow.encoders.onnx_encoder import load_encoder, open_tokenizer
from windrow.learning.head import LinearHead, scores_of_logits

pytestmark = pytest.mark.slow

TEXTS = [
    "reset my password",
    "i was charged twice !",
    "",
    "?",
    "word " * 150 + "here",
    "word " * 300,
    "漢字 🦄 not here",
]
LABELS = 5


def head_for(folder: EncoderFolder, seed: int = 3) -> LinearHead:
    random = np.random.default_rng(seed)
    weights = random.standard_normal((LABELS, feature_size(folder))).astype(np.float32)
    return LinearHead(weights, random.standard_normal(LABELS).astype(np.float32))


def build(folder: EncoderFolder, adapter: LowRankChanges | None = None, kind: Kind = "single_label") -> GraphFiles:
    head = head_for(folder)
    return build_classifier_graph(folder, adapter, head.weights, head.bias, kind)


def save(files: GraphFiles, directory: Path) -> Path:
    (directory / GRAPH_FILE).write_bytes(files.graph)
    (directory / GRAPH_DATA_FILE).write_bytes(b"".join(files.data))
    return directory / GRAPH_FILE


def run(path: Path, folder: EncoderFolder, texts: list[str]) -> npt.NDArray[Any]:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    tokenizer = open_tokenizer(folder)
    tokenizer.enable_padding()
    encodings = tokenizer.encode_batch([folder.prompt + text for text in texts])
    names = {"input_ids": "ids", "attention_mask": "attention_mask"}
    inputs = {name: np.array([getattr(each, part) for each in encodings]) for name, part in names.items()}
    found: npt.NDArray[Any] = session.run(["probabilities"], inputs)[0]
    return found


@pytest.mark.parametrize("kind_name", KINDS)
def test_each_family_answers_as_its_encoder_and_head_do(kind_name: str, tmp_path: Path) -> None:
    folder = read_encoder_folder(write_tiny_folder(tmp_path / "tiny", kind_name), "tests/tiny")
    encoder, head, changes = load_encoder(folder, tmp_path), head_for(folder), changes_for(folder, rank=3)
    for adapter, kind in ((None, "single_label"), (changes, "single_label"), (changes, "multi_label")):
        packed = None if adapter is None else pack_adapter(folder, adapter)
        expected = scores_of_logits(head.logits(encode(encoder, TEXTS, packed).features), kind)  # type: ignore[arg-type]
        path = save(build(folder, adapter, kind), tmp_path)  # type: ignore[arg-type]
        np.testing.assert_allclose(run(path, folder, TEXTS), expected, atol=1e-5)
        alone = np.concatenate([run(path, folder, [text]) for text in TEXTS])
        np.testing.assert_allclose(alone, expected, atol=1e-5)


def test_a_graph_is_sound_and_any_runtime_knows_its_operators(tiny_folder: EncoderFolder, tmp_path: Path) -> None:
    path = save(build(tiny_folder, changes_for(tiny_folder, rank=2)), tmp_path)
    onnx.checker.check_model(str(path), full_check=True)
    assert [(each.domain, each.version) for each in onnx.load(path).opset_import] == [("", 20)]


def test_an_adapter_of_some_projections_leaves_the_others_as_they_are(
    tiny_folder: EncoderFolder, tmp_path: Path
) -> None:
    few = {name: change for name, change in changes_for(tiny_folder, rank=2).items() if ".3.query." in name}
    encoder, head = load_encoder(tiny_folder, tmp_path), head_for(tiny_folder)
    expected = head.scores(encode(encoder, TEXTS, pack_adapter(tiny_folder, few)).features)
    np.testing.assert_allclose(run(save(build(tiny_folder, few), tmp_path), tiny_folder, TEXTS), expected, atol=1e-5)


def test_equal_classifiers_give_equal_bytes(tiny_folder: EncoderFolder) -> None:
    changes = changes_for(tiny_folder, rank=2)
    digests = {
        hashlib.sha256(b"".join((files.graph, *files.data))).hexdigest()
        for files in (build(tiny_folder, changes), build(tiny_folder, changes))
    }
    assert len(digests) == 1
