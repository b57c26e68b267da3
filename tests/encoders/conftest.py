"""A tiny encoder's folder, to spoil."""

import shutil
from pathlib import Path

import pytest

from windrow.encoders.folder import EncoderFolder


@pytest.fixture
def path(tiny_folder: EncoderFolder, tmp_path: Path) -> Path:
    """A copy of the tiny folder, to spoil."""
    return shutil.copytree(tiny_folder.path, tmp_path / "copy")
