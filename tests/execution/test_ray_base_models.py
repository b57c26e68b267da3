"""Base models on the nodes of a cluster: written once, under their digest, and never anything else."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from windrow.domain.errors import BaseModelUnavailable
from windrow.encoders.folder import EncoderFolder, find_bundled, read_bundled, read_encoder_folder
from windrow.execution.ray_base_models import find_base_model, place_base_model, read_base_model_files


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache of a node that has nothing yet."""
    monkeypatch.setenv("WINDROW_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_base_model_is_placed_once_and_reads_as_where_it_came_from(tiny_folder: EncoderFolder) -> None:
    base_model = tiny_folder.base_model
    assert find_base_model(base_model) is None
    placed = place_base_model(read_base_model_files(tiny_folder.path), base_model)
    assert find_base_model(base_model) == placed
    assert (
        replace(read_encoder_folder(placed, base_model.id), root=tiny_folder.root, path=tiny_folder.path) == tiny_folder
    )
    assert place_base_model({}, base_model) == placed  # nothing is fetched again
    assert [each.name for each in placed.parent.iterdir() if each.is_dir()] == [base_model.digest]


def test_a_damaged_copy_is_replaced(tiny_folder: EncoderFolder) -> None:
    files = read_base_model_files(tiny_folder.path)
    placed = place_base_model(files, tiny_folder.base_model)
    (placed / "model.safetensors").write_bytes(b"damaged")
    assert find_base_model(tiny_folder.base_model) is None
    assert place_base_model(files, tiny_folder.base_model) == placed
    assert find_base_model(tiny_folder.base_model) == placed


@pytest.mark.parametrize("name", ["model.safetensors", "../outside.json", "/outside.json"])
def test_files_that_are_not_the_base_model_leave_nothing(name: str, tiny_folder: EncoderFolder, cache: Path) -> None:
    files = {**read_base_model_files(tiny_folder.path), name: b"another"}
    with pytest.raises(BaseModelUnavailable, match="changed while they were sent"):
        place_base_model(files, tiny_folder.base_model)
    assert [each for each in cache.rglob("*") if not each.name.endswith(".lock")] == [cache / "base_models_of_ray"]
    assert find_base_model(tiny_folder.base_model) is None


def test_a_folder_that_cannot_be_written_is_told_with_the_setting(
    tiny_folder: EncoderFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("WINDROW_CACHE_DIR", str(tmp_path / "file"))
    with pytest.raises(BaseModelUnavailable, match="WINDROW_CACHE_DIR on that node"):
        place_base_model(read_base_model_files(tiny_folder.path), tiny_folder.base_model)


@pytest.mark.slow
def test_the_base_model_that_came_with_windrow_is_there_already() -> None:
    bundled = find_bundled()
    assert bundled is not None
    assert find_base_model(read_bundled(bundled).base_model) == bundled


def test_only_what_an_encoder_is_read_from_is_sent(tiny_folder: EncoderFolder, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_folder.path, folder)
    (folder / "pytorch_model.bin").write_bytes(b"pickled")
    (folder / "README.md").write_text("words")
    assert read_base_model_files(folder) == read_base_model_files(tiny_folder.path)
    assert {"modules.json", "config.json", "model.safetensors", "tokenizer.json"} <= set(read_base_model_files(folder))
