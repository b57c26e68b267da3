"""What the tests of encoders start from: a folder to spoil, a Hugging Face cache, an empty installation."""

import hashlib
import shutil
from pathlib import Path

import huggingface_hub
import pytest

from tests.encoders.hub import Hub
from windrow.encoders import folder
from windrow.encoders.folder import EncoderFolder


@pytest.fixture
def path(tiny_folder: EncoderFolder, tmp_path: Path) -> Path:
    """A copy of the tiny folder, to spoil."""
    return shutil.copytree(tiny_folder.path, tmp_path / "copy")


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    """An empty Hugging Face cache, and no network."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return Hub(tmp_path / "hub")


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation without the default base model."""
    monkeypatch.setattr(folder, "BUNDLED_PACKAGE", "no_such_package")


@pytest.fixture
def installed(tiny_folder: EncoderFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation with a tiny default base model: no test of removal may come near the real one."""
    package = tmp_path / "site" / "tiny_default_model"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('nobody may import this package')")
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.setattr(folder, "BUNDLED_PACKAGE", package.name)
    weights = tiny_folder.weights_path.read_bytes()
    monkeypatch.setattr(folder, "BUNDLED_WEIGHTS_SHA256", hashlib.sha256(weights).hexdigest())
    return shutil.copytree(tiny_folder.path, package / "model")
