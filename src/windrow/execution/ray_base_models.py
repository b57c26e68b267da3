"""Bring a base model to the nodes of a Ray cluster: once to each, and only where it is not there already.

The driver puts a folder's files into Ray's object store; a node that lacks them writes them below its cache, in a
folder that is named by the base model's digest. Whatever arrives is digested again before it is used.
"""

import fcntl
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from windrow.domain.errors import BaseModelUnavailable, InvalidBaseModel
from windrow.domain.recipe import BaseModel
from windrow.encoders.downloads import WEIGHTS_FILE
from windrow.encoders.folder import TOKENIZER_FILE, find_bundled, read_encoder_folder
from windrow.settings import node_cache_dir

# All that an encoder is read from: its own folder's files, and those of the modules below it.
_NAMES = (
    "modules.json",
    "config.json",
    "config_sentence_transformers.json",
    "sentence_bert_config.json",
    "tokenizer_config.json",
    TOKENIZER_FILE,
    WEIGHTS_FILE,
)
_FOLDER = "base_models_of_ray"


def base_model_files(folder: Path) -> Any:
    """Put the files of a base model into Ray's object store, on the driver's side.

    Args:
        folder: The folder with ``modules.json``.

    Returns:
        A reference for :func:`place_base_model`; the files stay in the store as long as it is kept.
    """
    import ray

    return ray.put(read_base_model_files(folder))


def read_base_model_files(folder: Path) -> dict[str, bytes]:
    """Return the files that a base model is read from, by their paths in its folder."""
    inner = sorted(each for each in folder.iterdir() if each.is_dir())
    paths = [place / name for place in (folder, *inner) for name in _NAMES if (place / name).is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def find_base_model(base_model: BaseModel) -> Path | None:
    """Return where this node has a base model with the same digest; ``None`` if it must be placed first.

    The model that came with Windrow counts, and what was placed earlier.
    """
    bundled = find_bundled()
    for folder in (bundled, _home() / base_model.digest):
        if folder is not None and _digest(folder, base_model) == base_model.digest:
            return folder
    return None


def place_base_model(files: Any, base_model: BaseModel) -> Path:
    """Return where this node has a base model, and write it there first if need be; for use inside a node's process.

    Processes of one node wait for each other, so that it is fetched and written once.

    Args:
        files: What :func:`base_model_files` returned, or the files themselves by path. Ray replaces a reference that is
            an argument of its own by what it stands for; in a list it stays one, and nothing is fetched in vain.
        base_model: The base model, with its digest.

    Raises:
        BaseModelUnavailable: What came is not this base model, or it cannot be written.
    """
    if (found := find_base_model(base_model)) is not None:
        return found
    try:
        with _lock(base_model.digest) as home:
            if (found := find_base_model(base_model)) is None:
                found = _write(home / base_model.digest, _fetched(files), base_model)
    except OSError as error:
        raise BaseModelUnavailable(
            "The base model {base_model} could not be written on a node of the Ray cluster ({why}). Free some space "
            "there, or name a folder that Windrow may write in by {setting} on that node, and try again.",
            {"base_model": base_model.id, "why": error.strerror or str(error), "setting": "WINDROW_CACHE_DIR"},
        ) from error
    return found


def _fetched(files: Any) -> Mapping[str, bytes]:
    import ray

    fetched: Mapping[str, bytes] = files if isinstance(files, Mapping) else ray.get(files)
    return fetched


def _write(folder: Path, files: Mapping[str, bytes], base_model: BaseModel) -> Path:
    """Write files as a folder that is complete or not there."""
    shutil.rmtree(folder, ignore_errors=True)  # it is there, but damaged
    building = Path(tempfile.mkdtemp(prefix="building-", dir=folder.parent))
    try:
        for name, content in files.items():
            path = building / name
            if not path.resolve().is_relative_to(building.resolve()):
                raise _altered(base_model)
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
        if _digest(building, base_model) != base_model.digest:
            raise _altered(base_model)
        building.rename(folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return folder


def _digest(folder: Path, base_model: BaseModel) -> str | None:
    """Return the digest of the base model in a folder; ``None`` if there is none that can be read."""
    try:
        return read_encoder_folder(folder, base_model.id, base_model.revision).base_model.digest
    except (InvalidBaseModel, OSError):
        return None


def _altered(base_model: BaseModel) -> BaseModelUnavailable:
    return BaseModelUnavailable(
        "The files of {base_model} changed while they were sent to a node of the Ray cluster. Restart the server and "
        "try again.",
        {"base_model": base_model.id},
    )


def _home() -> Path:
    return node_cache_dir() / _FOLDER


@contextmanager
def _lock(digest: str) -> Iterator[Path]:
    """Hold the lock of a base model among the processes of this node."""
    home = _home()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (home / f"{digest}.lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield home
