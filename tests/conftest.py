"""What every test starts from: an environment without anybody's settings, and no network for models."""

import os
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="session")
def _clean_environment() -> Iterator[None]:
    """Drop the variables that steer Windrow or Hugging Face, for this process and all that it starts."""
    former = dict(os.environ)
    for name in former:
        if name.startswith(("WINDROW_", "HF_", "HUGGINGFACE_", "TRANSFORMERS_")):
            del os.environ[name]
    os.environ["HF_HUB_OFFLINE"] = "1"
    yield
    os.environ.clear()
    os.environ.update(former)
