"""Weights come under one set of names, whatever the family, the prefix or the number format."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.encoders.tiny import KINDS, edit_json, write_tiny_folder
from windrow.arrays import PROJECTIONS
from windrow.domain.errors import InvalidBaseModel
from windrow.encoders.folder import EncoderFolder, read_encoder_folder
from windrow.encoders.layout import projection_shape
from windrow.encoders.weights import _buckets, load_weights

pytestmark = pytest.mark.slow


def folder_at(path: Path) -> EncoderFolder:
    return read_encoder_folder(path, "tests/tiny")


@pytest.mark.parametrize("kind", KINDS)
def test_every_family_has_the_same_names_and_shapes(kind: str, tmp_path: Path) -> None:
    folder = folder_at(write_tiny_folder(tmp_path, kind))
    weights = load_weights(folder)
    assert {array.dtype for array in weights.values()} == {np.dtype(np.float32)}
    assert weights["word"].shape == (folder.vocabulary, 32)
    assert weights["position"].shape == (200, 32)
    for layer in range(folder.layers):
        for name in PROJECTIONS:
            assert weights[f"layers.{layer}.{name}.weight"].shape == projection_shape(folder, name)
            assert weights[f"layers.{layer}.{name}.bias"].shape == projection_shape(folder, name)[1:]
    assert len(weights) == 4 + folder.layers * 16 + (kind == "mpnet")


def test_a_prefix_before_every_name_changes_nothing(path: Path) -> None:
    plain = load_weights(folder_at(path))
    save_file(
        {f"bert.{name}": t for name, t in load_file(path / "model.safetensors").items()}, path / "model.safetensors"
    )
    prefixed = load_weights(folder_at(path))
    assert all(np.array_equal(prefixed[name], plain[name]) for name in plain)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_files_are_read_as_float32(dtype: torch.dtype, path: Path) -> None:
    halved = {name: tensor.to(dtype) for name, tensor in load_file(path / "model.safetensors").items()}
    save_file(halved, path / "model.safetensors")
    word = load_weights(folder_at(path))["word"]
    assert word.dtype == np.float32
    assert np.array_equal(word, halved["embeddings.word_embeddings.weight"].float().numpy())


def test_other_number_formats_are_refused(path: Path) -> None:
    save_file({n: t.double() for n, t in load_file(path / "model.safetensors").items()}, path / "model.safetensors")
    with pytest.raises(InvalidBaseModel, match="numbers of the kind F64"):
        load_weights(folder_at(path))


def test_a_missing_tensor_is_named(path: Path) -> None:
    tensors = load_file(path / "model.safetensors")
    del tensors["encoder.layer.2.output.dense.bias"]
    save_file(tensors, path / "model.safetensors")
    with pytest.raises(InvalidBaseModel, match=r"lacks 1 tensor.*encoder\.layer\.2\.output\.dense\.bias"):
        load_weights(folder_at(path))


@pytest.mark.parametrize("change", [{"hidden_size": 64}, {"intermediate_size": 40}, {"vocab_size": 5}])
def test_a_shape_that_contradicts_the_config_is_refused(change: dict[str, int], path: Path) -> None:
    edit_json(path / "config.json", **change)
    with pytest.raises(InvalidBaseModel, match=r"where config\.json asks for"):
        load_weights(folder_at(path))


def test_a_position_table_shorter_than_stated_is_refused(path: Path) -> None:
    edit_json(path / "config.json", max_position_embeddings=400)
    edit_json(path / "sentence_bert_config.json", max_seq_length=300)
    with pytest.raises(InvalidBaseModel, match="position with shape"):
        load_weights(folder_at(path))


@pytest.mark.parametrize("content", [b"", b"version https://git-lfs.github.com/spec/v1\n", b"\xff" * 64])
def test_a_file_that_is_no_safetensors_is_refused(content: bytes, path: Path) -> None:
    (path / "model.safetensors").write_bytes(content)
    with pytest.raises(InvalidBaseModel, match="cannot be read"):
        load_weights(folder_at(path))


def test_a_file_that_was_cut_off_is_refused(path: Path) -> None:
    (path / "model.safetensors").write_bytes((path / "model.safetensors").read_bytes()[:-1])
    with pytest.raises(InvalidBaseModel, match="cannot be read"):
        load_weights(folder_at(path))


def test_distances_fall_into_the_buckets_that_mpnet_gives_them() -> None:
    from transformers.models.mpnet.modeling_mpnet import MPNetEncoder

    distances = np.arange(-600, 601)
    theirs = MPNetEncoder.relative_position_bucket(torch.from_numpy(distances))  # type: ignore[no-untyped-call]
    assert np.array_equal(_buckets(distances), theirs.numpy())
