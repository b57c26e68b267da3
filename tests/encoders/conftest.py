"""The bundled encoder and a tiny one, each made once for all tests of this folder."""

import shutil
from pathlib import Path

import pytest

from tests.encoders.tiny import write_tiny_folder
from windrow.domain.recipe import DEFAULT_BASE_MODEL
from windrow.encoders.folder import EncoderFolder, find_encoder_folder, read_encoder_folder
from windrow.encoders.session import OnnxEncoder, load_encoder


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="session")
def bundled_folder(data_dir: Path) -> EncoderFolder:
    return find_encoder_folder(DEFAULT_BASE_MODEL, data_dir=data_dir, allowed=[DEFAULT_BASE_MODEL], offline=True)


@pytest.fixture(scope="session")
def bundled(bundled_folder: EncoderFolder, data_dir: Path) -> OnnxEncoder:
    return load_encoder(bundled_folder, data_dir)


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> EncoderFolder:
    return read_encoder_folder(write_tiny_folder(tmp_path_factory.mktemp("tiny")), "tests/tiny")


@pytest.fixture
def path(tiny_folder: EncoderFolder, tmp_path: Path) -> Path:
    """A copy of the tiny folder, to spoil."""
    return shutil.copytree(tiny_folder.path, tmp_path / "copy")
