"""Where an encoder's graphs are kept: built once for each digest, whole or not at all."""

import shutil
import uuid
from pathlib import Path

from windrow.disk import disk_error, sync
from windrow.encoders.folder import EncoderFolder
from windrow.encoders.weights import load_weights

# Raise it with every change of what the graphs take, give or compute: older ones are then left alone and built anew.
GRAPH_VERSION = 3
_DIGEST_CHARS = 32
# How the name of a directory begins that is not finished.
BUILDING = ".building-"


def find_or_build_graphs(folder: EncoderFolder, data_dir: Path) -> Path:
    """Return the directory with an encoder's graphs, building them on first use.

    Several processes may do this at once: the first finished directory wins, and the others take that one.

    Args:
        folder: The encoder.
        data_dir: Windrow's data directory; the graphs go below its ``base_models/graphs``.

    Raises:
        BaseModelInvalid: The encoder's weights cannot be used.
        StorageFull: The disk is full.
        StorageFailed: The data directory cannot be written.
    """
    graphs = graphs_dir(data_dir)
    kept = graphs / f"{folder.base_model.digest[:_DIGEST_CHARS]}-v{GRAPH_VERSION}"
    if kept.is_dir():
        return kept
    try:
        graphs.mkdir(parents=True, exist_ok=True)
        _build(folder, kept)
    except OSError as error:
        raise disk_error(
            error,
            "{folder} cannot be written ({why}). Make it writable and try again.",
            "No room for the base model's graphs in {folder}. Free some disk and try again.",
            folder=str(graphs),
        ) from error
    return kept


def graphs_dir(data_dir: Path) -> Path:
    """Return the directory that holds one directory for each encoder's graphs."""
    return data_dir / "base_models" / "graphs"


def graph_folders(digest: str, data_dir: Path) -> tuple[Path, ...]:
    """Return the directories with graphs of an encoder, those of other versions of Windrow too.

    Args:
        digest: The encoder's, in full.
        data_dir: Windrow's data directory.
    """
    return tuple(sorted(graphs_dir(data_dir).glob(f"{digest[:_DIGEST_CHARS]}-v*")))


def _build(folder: EncoderFolder, kept: Path) -> None:
    # Importing onnx takes 30 MB and 0.2 s that a server with finished graphs does without.
    from windrow.encoders.graph import write_graphs

    aside = kept.with_name(f"{BUILDING}{uuid.uuid4().hex}")
    aside.mkdir()
    try:
        write_graphs(folder, load_weights(folder), aside)
        for path in (*aside.iterdir(), aside):
            sync(path)
        aside.rename(kept)  # fails where another process has put its own, equal directory meanwhile
        sync(kept.parent)
    except OSError:
        if not kept.is_dir():
            raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)
