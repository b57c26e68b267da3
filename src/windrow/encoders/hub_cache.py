"""List and remove models in the Hugging Face cache, which Windrow shares with other programs."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from windrow.encoders.removal import hide, sweep

if TYPE_CHECKING:
    from huggingface_hub import CachedRepoInfo, CachedRevisionInfo, HFCacheInfo

# It must be a valid repository name, or huggingface_hub would not find shared files; but no model has this id.
_REMOVED = "models--.removed--"

# Importing huggingface_hub takes 0.3 s, so each function imports it itself.


def cached_models() -> tuple["CachedRepoInfo", ...]:
    """Return the cached repositories of models, sorted by id; broken ones are left out."""
    cache = _scan()
    models = [repo for repo in cache.repos if repo.repo_type == "model"] if cache else []
    return tuple(sorted(models, key=lambda repo: repo.repo_id))


def is_in_cache(model_id: str) -> bool:
    """Whether the cache has a folder for a model, whole or broken; nothing else in the cache is looked at.

    Args:
        model_id: ``owner/name``.
    """
    return (_cache_dir() / f"models--{model_id.replace('/', '--')}").is_dir()


def revision_of(repo: "CachedRepoInfo", commit: str | None) -> "CachedRevisionInfo | None":
    """Return a cached revision of a repository: that of a commit or, without one, the main one; ``None`` for none."""
    if commit is None:
        return repo.refs.get("main")
    return next((revision for revision in repo.revisions if revision.commit_hash == commit), None)


def remove_cached_model(model_id: str) -> int:
    """Remove all revisions of a model atomically, and return the number of freed bytes.

    Args:
        model_id: ``owner/name``.
    """
    cache = _scan()
    repo = next((repo for repo in cached_models() if repo.repo_id == model_id), None)
    if cache is None or repo is None:
        return 0  # gone meanwhile
    # Copies of a repository have the same revisions, so all other repositories are hidden from the library.
    alone = replace(cache, repos=frozenset({repo}))
    strategy = alone.delete_revisions(*(revision.commit_hash for revision in repo.revisions))
    replace(strategy, repos=frozenset({hide(repo.repo_path, _REMOVED)})).execute()
    return int(strategy.expected_freed_size)


def sweep_cache() -> None:
    """Delete the leftovers of interrupted removals."""
    sweep(_cache_dir(), _REMOVED)


def _cache_dir() -> Path:
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def _scan() -> "HFCacheInfo | None":
    from huggingface_hub import scan_cache_dir
    from huggingface_hub.errors import CacheNotFound

    try:
        return scan_cache_dir(_cache_dir())
    except (CacheNotFound, OSError, ValueError):  # none, none that may be read, or a file in its place
        return None
