"""The Hugging Face cache, which Windrow shares with other programs: the models in it, and removing one."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from windrow.encoders.removal import hide, sweep

if TYPE_CHECKING:
    from huggingface_hub import CachedRepoInfo, HFCacheInfo

# Still a repository's name, or huggingface_hub would not find the files that it shares with others; but no model's id.
_REMOVED = "models--.removed--"

# The library takes 0.3 s to import, so each function does it for itself.


def cached_models() -> tuple["CachedRepoInfo", ...]:
    """Return the cached repositories of models whose main revision is here, sorted by id; broken ones are left out."""
    cache = _scan()
    models = [repo for repo in cache.repos if repo.repo_type == "model" and "main" in repo.refs] if cache else []
    return tuple(sorted(models, key=lambda repo: repo.repo_id))


def remove_cached_model(model_id: str) -> int:
    """Remove all revisions of a model, at once for everyone else, and return the bytes that this freed.

    Args:
        model_id: ``owner/name``.
    """
    cache = _scan()
    repo = next((repo for repo in cached_models() if repo.repo_id == model_id), None)
    if cache is None or repo is None:
        return 0  # gone meanwhile
    # Copies of a repository have its revisions too, so no other one may be in sight.
    alone = replace(cache, repos=frozenset({repo}))
    strategy = alone.delete_revisions(*(revision.commit_hash for revision in repo.revisions))
    replace(strategy, repos=frozenset({hide(repo.repo_path, _REMOVED)})).execute()
    return int(strategy.expected_freed_size)


def sweep_cache() -> None:
    """Delete what removals left behind whose process died."""
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
