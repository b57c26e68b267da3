"""Cache an encoder's graphs on disk: built once for each digest, and atomically."""

import shutil
import uuid
from pathlib import Path

from windrow.disk import disk_error, sync
from windrow.encoders.folder import EncoderFolder
from windrow.encoders.weights import load_weights

# Raise it with every change of the graphs' inputs, outputs or computation, so that older graphs are not used.
GRAPH_VERSION = 3
_DIGEST_CHARS = 32
# The prefix of the names of unfinished directories.
BUILDING = ".building-"


def find_or_build_graphs(folder: EncoderFolder, data_dir: Path) -> Path:
    """Return the directory with an encoder's graphs, building them on first use.

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
    if cached.is_dir():
        return cached
    try:
        graphs.mkdir(parents=True, exist_ok=True)
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


def _build(folder: EncoderFolder, cached: Path) -> None:
    # Importing onnx takes 30 MB and 0.2 s, which a server with cached graphs saves.
    from windrow.encoders.graph import write_graphs

    staging = cached.with_name(f"{BUILDING}{uuid.uuid4().hex}")
    staging.mkdir()
    try:
        write_graphs(folder, load_weights(folder), staging)
        for path in (*staging.iterdir(), staging):
            sync(path)
        staging.rename(cached)  # fails if another process has finished an equal directory meanwhile
        sync(cached.parent)
    except OSError:
        if not cached.is_dir():
            raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)
