"""List the base models on this machine with their sizes, and remove them."""

import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from windrow.disk import disk_error
from windrow.domain.base_models import (
    BaseModelLocation,
    StoredBaseModel,
    check_model_id,
    is_allowed,
    is_model_id,
    pinned_commit,
)
from windrow.domain.errors import BaseModelInUse, BaseModelNotFound, InvalidBaseModel
from windrow.domain.recipe import DEFAULT_BASE_MODEL
from windrow.domain.values import recast
from windrow.encoders.downloads import COMMITS_FOLDER, remembered_commit
from windrow.encoders.folder import (
    EncoderFolder,
    find_bundled,
    read_bundled,
    read_encoder_folder,
)
from windrow.encoders.graph_cache import BUILDING, graph_folders, graphs_dir
from windrow.encoders.hub_cache import cached_models, is_in_cache, remove_cached_model, revision_of, sweep_cache
from windrow.encoders.removal import Files, delete, files_below, remove_folder, size_bytes, sweep

if TYPE_CHECKING:
    from huggingface_hub import CachedRepoInfo

# A build takes a minute at most; older directories are leftovers.
_MAX_BUILD_S = 3_600
# So long a model in the Hugging Face cache that cannot be run is not looked at again.
_UNUSABLE_FOR_S = 10


@dataclass(frozen=True, slots=True)
class _FolderScan:
    """The result of checking a folder; valid as long as its files are unchanged."""

    files: Files
    digest: str
    problem: str | None


@dataclass(frozen=True, slots=True)
class _Copy:
    """The base model of an id, without its graphs; ``folder`` is ``None`` for the bundled one, which stays."""

    stored: StoredBaseModel
    folder: Path | None


class Inventory:
    """The base models on this machine; thread-safe.

    Weights are digested once, and again only after a file has changed.

    Args:
        data_dir: Windrow's data directory.
        allowed: Ids that may be used; ``*`` among them allows every one.
    """

    def __init__(self, data_dir: Path, allowed: Collection[str]) -> None:
        self._data_dir = data_dir
        self._own = data_dir / "base_models"
        self._allowed = allowed
        self._scans: dict[Path, _FolderScan] = {}
        self._unusable_until: dict[str, float] = {}
        self._lock = threading.Lock()

    def stored_base_models(self) -> tuple[StoredBaseModel, ...]:
        """Return the base models that Windrow can load without a network, sorted by id, each id once.

        These are the bundled one; each folder in the data directory, with its problem if it has one; and those models
        in the Hugging Face cache that are allowed and can be run.
        """
        seen: set[str] = set()
        stored = []
        for copy in self._copies():
            digest = copy.stored.digest
            graph_bytes = 0 if digest in seen else sum(map(size_bytes, graph_folders(digest, self._data_dir)))
            seen.add(digest)
            stored.append(replace(copy.stored, graph_bytes=graph_bytes))
        return tuple(stored)

    def holds(self, model_id: str) -> bool:
        """Return whether :meth:`stored_base_models` has an id, without a look at other base models.

        A model in the Hugging Face cache that cannot be run may go on to count as missing for ten seconds.

        Args:
            model_id: An allowed id, of the form ``owner/name``.
        """
        if model_id == DEFAULT_BASE_MODEL and find_bundled() is not None:
            return True
        if (self._own / model_id.replace("/", "--")).is_dir():
            return True
        return is_in_cache(model_id) and self._runs_from_hub_cache(model_id)

    def leftover_bytes(self) -> int:
        """Return the size of the files in the data directory's base-model folders that belong to no base model."""
        copies, graphs = self._copies(), graphs_dir(self._data_dir)
        known = {graphs, self._own / COMMITS_FOLDER, *(copy.folder for copy in copies)}
        for copy in copies:
            known.update(graph_folders(copy.stored.digest, self._data_dir))
        return sum(size_bytes(path) for path in (*self._own.glob("*"), *graphs.glob("*")) if path not in known)

    def remove(self, model_id: str) -> int:
        """Remove a base model and its graphs. The caller checks that no classifier needs it.

        A crash leaves the base model complete or gone. If the Hugging Face cache holds another copy of a model that is
        removed from the data directory, the id refers to that copy from then on.

        Args:
            model_id: The id as in :meth:`stored_base_models`.

        Returns:
            The number of freed bytes.

        Raises:
            InvalidParameter: The id is not of the form ``owner/name``.
            BaseModelNotFound: The base model is not on this machine.
            BaseModelInUse: The base model is the bundled one.
            StorageFailed: The folder cannot be changed.
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
            # Graphs first, since they can be rebuilt as long as the base model is here.
            graphs = () if is_shared else graph_folders(digest, self._data_dir)
            freed_bytes = sum(remove_folder(folder) for folder in graphs)
            if copy.stored.location == "hub_cache":
                return freed_bytes + remove_cached_model(model_id)
            return freed_bytes + remove_folder(copy.folder)

    def _copies(self) -> list[_Copy]:
        """Return the base model of each id, sorted by id; an earlier location takes precedence."""
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
                    if copy is not None and copy.stored.problem is None:  # else it is other programs' business
                        found[repo.repo_id] = copy
        return [found[model_id] for model_id in sorted(found)]

    def _installed(self, folder: Path) -> _Copy:
        scan = self._scan(folder, partial(read_bundled, folder))
        return self._copy(DEFAULT_BASE_MODEL, "installed", None, scan)

    def _in_data_directory(self, folder: Path, model_id: str) -> _Copy:
        scan = self._scan(folder, partial(read_encoder_folder, folder, model_id))
        return self._copy(model_id, "data_directory", folder, scan)

    def _in_hub_cache(self, repo: "CachedRepoInfo") -> _Copy | None:
        own = self._own / repo.repo_id.replace("/", "--")
        try:
            revision = revision_of(repo, pinned_commit(repo.repo_id, self._allowed) or remembered_commit(own))
        except InvalidBaseModel:  # whoever asks for it is told
            return None
        if revision is None:
            return None
        scan = self._scan(revision.snapshot_path, partial(read_encoder_folder, revision.snapshot_path, repo.repo_id))
        stored = _stored(scan, repo.repo_id, "hub_cache", repo.size_on_disk)
        return _Copy(replace(stored, revision=revision.commit_hash), repo.repo_path)

    def _runs_from_hub_cache(self, model_id: str) -> bool:
        with self._lock:
            if time.monotonic() < self._unusable_until.get(model_id, 0.0):
                return False
            copies = [self._in_hub_cache(repo) for repo in cached_models() if repo.repo_id == model_id]
            runs = any(copy is not None and copy.stored.problem is None for copy in copies)
            if not runs:
                self._unusable_until[model_id] = time.monotonic() + _UNUSABLE_FOR_S
            return runs

    def _copy(self, model_id: str, place: BaseModelLocation, folder: Path | None, scan: _FolderScan) -> _Copy:
        stored = _stored(scan, model_id, place, sum(size for _, size, *_ in scan.files))
        if not is_allowed(model_id, self._allowed):
            problem = "It is not allowed here. Add it to WINDROW_ALLOWED_BASE_MODELS, or remove it."
            stored = replace(stored, problem=problem)
        return _Copy(stored, folder)

    def _scan(self, folder: Path, read: Callable[[], EncoderFolder]) -> _FolderScan:
        files = files_below(folder)  # before reading, so that the next scan notices a change in between
        known = self._scans.get(folder)
        if known is None or known.files != files:
            known = self._scans[folder] = _FolderScan(files, *_digest_or_problem(folder, read))
        return known

    def _sweep(self) -> None:
        """Delete the leftovers of interrupted removals and builds."""
        graphs = graphs_dir(self._data_dir)
        sweep(self._own)
        sweep(graphs)
        sweep_cache()
        for building in graphs.glob(f"{BUILDING}*"):
            with suppress(FileNotFoundError):  # it was finished just now
                if building.stat().st_mtime < time.time() - _MAX_BUILD_S:
                    delete(building)


def _stored(scan: _FolderScan, model_id: str, place: BaseModelLocation, size: int) -> StoredBaseModel:
    return recast(StoredBaseModel, scan, id=model_id, location=place, size_bytes=size, graph_bytes=0)


def _digest_or_problem(folder: Path, read: Callable[[], EncoderFolder]) -> tuple[str, str | None]:
    try:
        return read().base_model.digest, None
    except InvalidBaseModel as error:
        # Clients must not learn the folder's path, but they may see the name of a folder inside.
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
        raise disk_error(
            error,
            "The base model {base_model} could not be removed ({why}). Let the server write to the data directory and "
            "to the Hugging Face cache, and try again.",
            "The base model {base_model} could not be removed ({why}). Free some space by other means, and try again.",
            base_model=model_id,
        ) from error
