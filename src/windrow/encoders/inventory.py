"""The base models on this machine: what is here, what it takes, and how one is removed."""

import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from windrow.domain.base_models import BaseModelPlace, StoredBaseModel, check_model_id, is_model_id
from windrow.domain.errors import BaseModelInUse, BaseModelInvalid, BaseModelNotFound, StorageFailed
from windrow.domain.recipe import DEFAULT_BASE_MODEL
from windrow.domain.values import recast
from windrow.encoders.folder import (
    EncoderFolder,
    find_bundled,
    is_allowed,
    read_bundled,
    read_encoder_folder,
)
from windrow.encoders.graph_files import BUILDING, graph_folders, graphs_dir
from windrow.encoders.hub_cache import cached_models, remove_cached_model, sweep_cache
from windrow.encoders.removal import Files, delete, files_below, remove_folder, size_bytes, sweep

if TYPE_CHECKING:
    from huggingface_hub import CachedRepoInfo

# A build takes a minute at most; what is older was left behind.
_MAX_BUILD_S = 3_600


@dataclass(frozen=True, slots=True)
class _Look:
    """What a folder was found to hold; it is true as long as the files are the same."""

    files: Files
    digest: str
    problem: str | None


@dataclass(frozen=True, slots=True)
class _Copy:
    """What an id means, its graphs left aside; the folder is what may be deleted, of the installation nothing."""

    stored: StoredBaseModel
    folder: Path | None


class Inventory:
    """The base models on this machine; thread-safe.

    Weights are digested at the first look, and again only once a file has changed.

    Args:
        data_dir: Windrow's data directory.
        allowed: Ids that may be used; ``*`` among them allows every one.
    """

    def __init__(self, data_dir: Path, allowed: Collection[str]) -> None:
        self._data_dir = data_dir
        self._own = data_dir / "base_models"
        self._allowed = allowed
        self._looks: dict[Path, _Look] = {}
        self._lock = threading.Lock()

    def stored_base_models(self) -> tuple[StoredBaseModel, ...]:
        """Return what Windrow has without a network, sorted by id, each id once.

        That is the installed one; each folder in the data directory, with its problem where it has one; and of the
        Hugging Face cache, what is allowed and can be run.
        """
        seen: set[str] = set()
        stored = []
        for copy in self._copies():
            digest = copy.stored.digest
            graph_bytes = 0 if digest in seen else sum(map(size_bytes, graph_folders(digest, self._data_dir)))
            seen.add(digest)
            stored.append(replace(copy.stored, graph_bytes=graph_bytes))
        return tuple(stored)

    def leftover_bytes(self) -> int:
        """Return the size of what lies among the data directory's base models and graphs, and belongs to none."""
        copies, graphs = self._copies(), graphs_dir(self._data_dir)
        known = {graphs, *(copy.folder for copy in copies)}
        for copy in copies:
            known.update(graph_folders(copy.stored.digest, self._data_dir))
        return sum(size_bytes(path) for path in (*self._own.glob("*"), *graphs.glob("*")) if path not in known)

    def remove(self, model_id: str) -> int:
        """Remove what an id means, and the graphs built from it. Whether it is needed, the caller must know.

        At whatever moment this ends, the base model is whole or gone. Where the Hugging Face cache holds another copy
        of what was removed from the data directory, the id means that one from then on.

        Args:
            model_id: As :meth:`stored_base_models` shows it.

        Returns:
            Bytes that were freed.

        Raises:
            InvalidParameter: The id is not of the form ``owner/name``.
            BaseModelNotFound: It is not on this machine.
            BaseModelInUse: It came with Windrow.
            StorageFailed: Its folder cannot be changed.
        """
        check_model_id(model_id)
        with _storage_errors(model_id):
            self._sweep()
            copies = {copy.stored.id: copy for copy in self._copies()}
            copy = copies.pop(model_id, None)
            if copy is None:
                raise _not_found(model_id, copies)
            if copy.folder is None:
                raise _came_with_windrow(model_id)
            digest = copy.stored.digest
            is_shared = any(other.stored.digest == digest for other in copies.values())
            # Graphs first, since they can be built anew as long as the base model is here.
            graphs = () if is_shared else graph_folders(digest, self._data_dir)
            freed_bytes = sum(remove_folder(folder) for folder in graphs)
            if copy.stored.place == "hub_cache":
                return freed_bytes + remove_cached_model(model_id)
            return freed_bytes + remove_folder(copy.folder)

    def _copies(self) -> list[_Copy]:
        """Return what each id means, sorted by id, from the places in the order in which Windrow looks."""
        found: dict[str, _Copy] = {}
        with self._lock:  # so that no two threads digest the same weights
            if (bundled := find_bundled()) is not None:
                found[DEFAULT_BASE_MODEL] = self._installed(bundled)
            for folder in self._own.glob("*--*"):
                model_id = folder.name.replace("--", "/")
                if model_id not in found and is_model_id(model_id) and folder.is_dir():
                    found[model_id] = self._in_data_directory(folder, model_id)
            for repo in cached_models():
                if repo.repo_id not in found and is_model_id(repo.repo_id) and is_allowed(repo.repo_id, self._allowed):
                    copy = self._in_hub_cache(repo)
                    if copy.stored.problem is None:  # else it is other programs' business
                        found[repo.repo_id] = copy
        return [found[model_id] for model_id in sorted(found)]

    def _installed(self, folder: Path) -> _Copy:
        look = self._look(folder, partial(read_bundled, folder))
        return self._copy(DEFAULT_BASE_MODEL, "installed", None, look)

    def _in_data_directory(self, folder: Path, model_id: str) -> _Copy:
        look = self._look(folder, partial(read_encoder_folder, folder, model_id))
        return self._copy(model_id, "data_directory", folder, look)

    def _in_hub_cache(self, repo: "CachedRepoInfo") -> _Copy:
        revision = repo.refs["main"]
        look = self._look(revision.snapshot_path, partial(read_encoder_folder, revision.snapshot_path, repo.repo_id))
        stored = _stored(look, repo.repo_id, "hub_cache", repo.size_on_disk)
        return _Copy(replace(stored, revision=revision.commit_hash), repo.repo_path)

    def _copy(self, model_id: str, place: BaseModelPlace, folder: Path | None, look: _Look) -> _Copy:
        stored = _stored(look, model_id, place, sum(size for _, size, *_ in look.files))
        if not is_allowed(model_id, self._allowed):
            problem = "It is not allowed here. Add it to WINDROW_ALLOWED_BASE_MODELS, or remove it."
            stored = replace(stored, problem=problem)
        return _Copy(stored, folder)

    def _look(self, folder: Path, read: Callable[[], EncoderFolder]) -> _Look:
        files = files_below(folder)  # before reading, so that the next look sees a change in between
        known = self._looks.get(folder)
        if known is None or known.files != files:
            known = self._looks[folder] = _Look(files, *_digest_or_problem(folder, read))
        return known

    def _sweep(self) -> None:
        """Delete what removals and builds left behind whose process died."""
        graphs = graphs_dir(self._data_dir)
        sweep(self._own)
        sweep(graphs)
        sweep_cache()
        for building in graphs.glob(f"{BUILDING}*"):
            with suppress(FileNotFoundError):  # it was finished just now
                if building.stat().st_mtime < time.time() - _MAX_BUILD_S:
                    delete(building)


def _stored(look: _Look, model_id: str, place: BaseModelPlace, size: int) -> StoredBaseModel:
    return recast(StoredBaseModel, look, id=model_id, place=place, size_bytes=size, graph_bytes=0)


def _digest_or_problem(folder: Path, read: Callable[[], EncoderFolder]) -> tuple[str, str | None]:
    try:
        return read().base_model.digest, None
    except BaseModelInvalid as error:
        # Where the folder lies is nothing for clients, but a folder in it has a name.
        inner = Path(str(error.facts["folder"])).relative_to(folder)
        named = "" if inner == Path() else f" {inner}"
        return "", f"The base model's folder{named} {error.facts['why']}. {error.facts['advice']}"
    except OSError as error:
        return "", f"The base model's folder cannot be read ({error.strerror}). Check its rights."


def _not_found(model_id: str, known: Collection[str]) -> BaseModelNotFound:
    return BaseModelNotFound(
        "The base model {base_model} is not on this machine, so there is nothing to remove. "
        f"These are: {'{base_models:joined}' if known else 'none'}.",
        {"base_model": model_id, "base_models": list(known)},
    )


def _came_with_windrow(model_id: str) -> BaseModelInUse:
    return BaseModelInUse(
        "The base model {base_model} came with Windrow, which needs it. Keep it; its weights take no room in the "
        "data directory.",
        {"base_model": model_id},
    )


@contextmanager
def _storage_errors(model_id: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageFailed(
            "The base model {base_model} could not be removed ({why}). Let the server write to the data directory and "
            "to the Hugging Face cache, and try again.",
            {"base_model": model_id, "why": error.strerror or str(error)},
        ) from error
