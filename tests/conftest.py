"""What every test starts from: an environment without anybody's settings, no network, and encoders made once."""

import fcntl
import logging
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import structlog
from hypothesis import HealthCheck, settings

from tests.fakes import OUTCOMES_FOLDER
from tests.slow import (
    pytest_collection_finish,
    pytest_collection_modifyitems,
    pytest_configure,
    pytest_ignore_collect,
    pytest_itemcollected,
    pytest_runtest_protocol,
)
from windrow.domain.recipe import DEFAULT_BASE_MODEL

# pytest finds them here.
__all__ = [
    "pytest_collection_finish",
    "pytest_collection_modifyitems",
    "pytest_configure",
    "pytest_ignore_collect",
    "pytest_itemcollected",
    "pytest_runtest_protocol",
]

if TYPE_CHECKING:
    from windrow.encoders.folder import EncoderFolder
    from windrow.encoders.onnx_encoder import OnnxEncoder

# One of the processes that share the tests out between them (`make tests`)?
IS_ONE_OF_MANY = "PYTEST_XDIST_WORKER" in os.environ
if IS_ONE_OF_MANY:
    # Before anything imports NumPy or torch: with a thread for each core, each process would wait for the others'.
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

# Where this is set, as it often is in containers, each process of the tests, and each server that one of them starts,
# would compile all modules anew, and pytest would rewrite all assertions.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# How long an example takes depends on what else the machine does, so it decides nothing.
settings.register_profile("windrow", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("quick", settings.get_profile("windrow"), max_examples=20)
settings.load_profile("windrow")


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Name bytes by their argument: packed ones hold the time, and each process must give a test the same name."""
    return argname if isinstance(val, bytes) else None


@pytest.fixture(autouse=True, scope="session")
def _loggers_that_follow_each_test() -> Iterator[None]:
    """Let no logger keep what structlog was configured to when it was first used, as a server's do."""
    configure = structlog.configure
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(structlog, "configure", lambda **how: configure(**{**how, "cache_logger_on_first_use": False}))
        yield


@pytest.fixture(autouse=True)
def _kept_logging() -> Iterator[None]:
    """Take back what a server that a test starts sets for this process: it writes to the test's standard error.

    That is closed after the test, and each later line of a log, and with it each request, would fail.
    """
    root, configured = logging.getLogger(), structlog.get_config()
    before = root.handlers[:], root.level
    yield
    structlog.configure(**configured)
    root.handlers[:], root.level = before


@pytest.fixture(autouse=True, scope="session")
def _clean_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Drop the variables that steer Windrow or Hugging Face, for this process and all that it starts.

    Temporary folders are made below pytest's, which it removes in time: a server that is killed cannot remove its own.
    """
    former, former_tempdir = dict(os.environ), tempfile.tempdir
    for name in former:
        if name.startswith(("WINDROW_", "HF_", "HUGGINGFACE_", "TRANSFORMERS_")):
            del os.environ[name]
    os.environ["HF_HUB_OFFLINE"] = "1"
    outcomes = shared_folder(tmp_path_factory) / "outcomes"
    outcomes.mkdir(exist_ok=True)
    os.environ[OUTCOMES_FOLDER] = str(outcomes)
    os.environ["TMPDIR"] = tempfile.tempdir = str(tmp_path_factory.mktemp("t"))
    yield
    os.environ.clear()
    os.environ.update(former)
    tempfile.tempdir = former_tempdir


def shared_folder(factory: pytest.TempPathFactory) -> Path:
    """Return this run's folder, which all of its processes share."""
    base = factory.getbasetemp()
    return base.parent if IS_ONE_OF_MANY else base


# What follows imports heavy libraries where it is used, so that tests without encoders start fast.


def made_once(name: str, make: Callable[[Path], object], factory: pytest.TempPathFactory) -> Path:
    """Return a folder that the first process of this run to need it makes for all of them.

    Args:
        name: What it is called.
        make: Writes it.
        factory: Knows where this run's folders are.
    """
    base = shared_folder(factory)
    folder = base / name
    with (base / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            part = base / f"{name}.part"
            part.mkdir()
            make(part)
            part.rename(folder)
    return folder


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory for derived graphs."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="session")
def bundled_folder(data_dir: Path) -> "EncoderFolder":
    """The default base model."""
    from windrow.encoders.folder import find_encoder_folder

    return find_encoder_folder(DEFAULT_BASE_MODEL, data_dir=data_dir, allowed=[DEFAULT_BASE_MODEL], offline=True)


@pytest.fixture(scope="session")
def bundled(bundled_folder: "EncoderFolder", data_dir: Path) -> "OnnxEncoder":
    """The default base model, ready to encode."""
    from windrow.encoders.onnx_encoder import load_encoder

    return load_encoder(bundled_folder, data_dir)


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> "EncoderFolder":
    """A small BERT with random weights."""
    from tests.encoders.tiny import write_tiny_folder
    from windrow.encoders.folder import read_encoder_folder

    return read_encoder_folder(made_once("tiny", write_tiny_folder, tmp_path_factory), "tests/tiny")


@pytest.fixture(scope="session")
def tiny(tiny_folder: "EncoderFolder", data_dir: Path) -> "OnnxEncoder":
    """A small BERT with random weights, ready to encode."""
    from windrow.encoders.onnx_encoder import load_encoder

    return load_encoder(tiny_folder, data_dir, threads=1)
