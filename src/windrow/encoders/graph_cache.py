"""Cache an encoder's graphs on disk: built once for each digest, atomically, and checked before each use."""

import hashlib
import json
import logging
import os
import shutil
import uuid
from contextlib import suppress
from pathlib import Path

from windrow.codec.lenient import parse_lenient
from windrow.disk import PRIVATE_FILE, PRIVATE_FOLDER, disk_error, make_private, open_plain, read_plain, reason, sync
from windrow.encoders.folder import EncoderFolder
from windrow.encoders.layout import ADAPTED_TOP_FILE, TENSORS_FILE, TOP_FILE, TRUNK_FILE
from windrow.encoders.removal import REMOVED, delete, hide
from windrow.encoders.weights import load_weights

# Raise it with every change of the graphs' inputs, outputs or computation, so that older graphs are not used.
GRAPH_VERSION = 3
# What lies beside the graphs: the size and SHA-256 of each of their files.
DIGESTS_FILE = "digests.json"
# The prefix of the names of unfinished directories.
BUILDING = ".building-"
_GRAPH_FILES = frozenset((TRUNK_FILE, TOP_FILE, ADAPTED_TOP_FILE, TENSORS_FILE))
_DIGEST_CHARS = 32
_MAX_DIGESTS_BYTES = 4_096
_TRIES = 3

_log = logging.getLogger("windrow.encoders")


def find_or_build_graphs(folder: EncoderFolder, data_dir: Path) -> Path:
    """Return the directory with an encoder's graphs, building them on first use, and anew where they are damaged.

    Several processes may build concurrently: the first finished directory wins, and the others use it.

    Args:
        folder: The encoder.
        data_dir: Windrow's data directory; the graphs go below its ``base_models/graphs``.

    Raises:
        InvalidBaseModel: The encoder's weights cannot be used.
        StorageFull: The disk is full.
        StorageFailed: The data directory cannot be written.
    """
    graphs = graphs_dir(data_dir)
    cached = graphs / f"{folder.base_model.digest[:_DIGEST_CHARS]}-v{GRAPH_VERSION}"
    problem = find_graph_problem(cached)
    if problem is None:
        return cached
    if os.path.lexists(cached):
        _log.warning("The graphs in %s are damaged and are built anew: %s", cached.name, problem)
    try:
        make_private(graphs)
        _build(folder, cached)
    except OSError as error:
        raise disk_error(
            error,
            "{folder} cannot be written ({why}). Make it writable and try again.",
            "No room for the base model's graphs in {folder}. Free some disk and try again.",
            folder=str(graphs),
        ) from error
    return cached


def graphs_dir(data_dir: Path) -> Path:
    """Return the directory with one subdirectory for each encoder's graphs."""
    return data_dir / "base_models" / "graphs"


def graph_folders(digest: str, data_dir: Path) -> tuple[Path, ...]:
    """Return the directories with an encoder's graphs, including those of other versions of Windrow.

    Args:
        digest: The encoder's full digest.
        data_dir: Windrow's data directory.
    """
    return tuple(sorted(graphs_dir(data_dir).glob(f"{digest[:_DIGEST_CHARS]}-v*")))


def find_graph_problem(graphs: Path) -> str | None:
    """Return what is wrong with the files of an encoder's graphs; ``None`` where they are as they were built.

    It reads all of them: 0.1 s for the 90 MB of the default base model.

    Args:
        graphs: The directory.
    """
    try:
        digests = parse_lenient(read_plain(str(graphs / DIGESTS_FILE), _MAX_DIGESTS_BYTES))
        if digests.keys() != _GRAPH_FILES:
            return f"{DIGESTS_FILE} names other files than those of the graphs."
        for name, expected in digests.items():
            if _describe(graphs / name, expected["size_bytes"]) != expected:
                return f"{name} is not as it was written."
    except OSError as error:
        return f"A file cannot be read ({reason(error)})."
    except (ValueError, AttributeError, LookupError, TypeError):
        return f"{DIGESTS_FILE} is not as it was written."
    return None


def _describe(path: Path, size_bytes: int) -> dict[str, object]:
    """Return a file's size and SHA-256; of a file of another size only that, without reading it."""
    with open_plain(str(path)) as file:
        actual_size = os.fstat(file.fileno()).st_size
        if actual_size != size_bytes:
            return {"size_bytes": actual_size}
        return {"size_bytes": actual_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def _write_digests(graphs: Path) -> None:
    digests = {path.name: _describe(path, path.stat().st_size) for path in sorted(graphs.iterdir())}
    (graphs / DIGESTS_FILE).write_text(json.dumps(digests, indent=2) + "\n", "utf-8")


def _build(folder: EncoderFolder, cached: Path) -> None:
    # Importing onnx takes 30 MB and 0.2 s, which a server with cached graphs saves.
    from windrow.encoders.graph import write_graphs

    staging = cached.with_name(f"{BUILDING}{uuid.uuid4().hex}")
    staging.mkdir(PRIVATE_FOLDER)
    try:
        write_graphs(folder, load_weights(folder), staging)
        _write_digests(staging)
        for path in staging.iterdir():
            path.chmod(PRIVATE_FILE)
            sync(path)
        sync(staging)
        _put_in_place(staging, cached)
        sync(cached.parent)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _put_in_place(staging: Path, cached: Path) -> None:
    """Give a finished directory its name, unless sound graphs of another process have it; damaged ones make room."""
    for attempt in range(_TRIES):
        try:
            staging.rename(cached)
        except OSError:
            if find_graph_problem(cached) is None:
                return
            if attempt == _TRIES - 1:
                raise
        else:
            return
        with suppress(FileNotFoundError):  # another process has made room, or there is no place at all
            delete(hide(cached, REMOVED))
