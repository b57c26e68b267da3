"""Copies a data directory to another folder or object store, on the machine that reaches both."""

import os
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from windrow.domain.errors import InvalidParameter
from windrow.domain.store_copy import CopyReport, OnCopied
from windrow.domain.store_url import StoreUrl, without_secrets
from windrow.settings import read_data_dir, read_settings

if TYPE_CHECKING:
    from windrow.bootstrap import OpenedFiles

# One of these makes a folder a data directory, or a part of one that was begun.
_OWN_FOLDERS: Final = {"classifiers", "aliases", "access", "audit", "usage", "jobs", "base_models", "lost+found"}


def copy_store(
    from_: str | os.PathLike[str],
    to: str | os.PathLike[str],
    *,
    dry_run: bool = False,
    on_progress: OnCopied | None = None,
) -> CopyReport:
    """Copy a data directory to another folder or object store, also while servers use the one to copy from.

    Classifiers, aliases, API keys, counts of use, finished jobs and the audit trail are copied, each file verified
    before and after; base models are not. What is there already is skipped, so the same call goes on after a stop. If
    both places hold something else under one name, that of ``to`` stays as it is.

    Args:
        from_: The data directory: a folder, or a place in an object store (``s3://BUCKET/PREFIX``).
        to: Where it is to be, likewise; a folder is made. No server may change anything there before the copy is done.
        dry_run: Whether to change nothing, and only say what would be copied.
        on_progress: Told how far the copy is.

    Returns:
        What was copied, and what was not.

    Raises:
        InvalidParameter: One of them is no data directory, or both are one, or one lies inside the other.
        KeysUnavailable: The newest API keys cannot be read; without them, anybody could use the copy.
        InvalidArtifact: A newer Windrow wrote what is there already.
        ConcurrentChange: Others have been changing one of them for too long.
        StorageFull: There is no more room. What was copied stays; call it again to go on.
        StorageFailed: One of them failed. Likewise.
    """
    source, target = _place("from_", from_), _place("to", to)
    _check_apart(source, target)
    if isinstance(source, Path) and not source.is_dir():
        raise InvalidParameter(
            "{value} is no data directory: it does not exist. Name the one to copy from.",
            {"parameter": "from_", "value": str(source)},
        )
    if isinstance(target, Path):
        _check_target(target)

    from windrow.storage.store_copy import copy_files

    # What is read back must come from the store itself; copies on this machine are those of servers.
    with TemporaryDirectory(prefix="windrow-") as unused:
        opened = (_open(place, Path(unused, name)) for name, place in (("from", source), ("to", target)))
        return copy_files(*opened, dry_run=dry_run, on_progress=on_progress)


def _open(place: Path | StoreUrl, cache_dir: Path) -> "OpenedFiles":
    from windrow.bootstrap import open_files

    return open_files(replace(read_settings(), data_dir=place, cache_dir=cache_dir, cache_bytes=0))


def _place(parameter: str, given: str | os.PathLike[str]) -> Path | StoreUrl:
    try:
        return read_data_dir(os.fspath(given))
    except ValueError as error:
        raise InvalidParameter(
            "{value} is no data directory: {expected}.",
            {"parameter": parameter, "value": without_secrets(os.fspath(given)), "expected": str(error)},
        ) from error


def _check_apart(source: Path | StoreUrl, target: Path | StoreUrl) -> None:
    """Refuse two places of which one is, or lies in, the other."""
    one, other = _parts(source), _parts(target)
    shared = min(len(one), len(other))
    if one[:shared] == other[:shared]:
        raise InvalidParameter(
            "{value} is the data directory to copy from, or one of the two lies inside the other. Name another place "
            "to copy to.",
            {"parameter": "to", "value": str(target)},
        )


def _parts(place: Path | StoreUrl) -> tuple[str, ...]:
    if isinstance(place, Path):
        return ("file", *place.resolve().parts)
    return (place.scheme, place.bucket, *filter(None, place.prefix.split("/")))


def _check_target(folder: Path) -> None:
    """Refuse a folder that holds other things: what is copied would lie among them."""
    if folder.exists() and not folder.is_dir():
        raise InvalidParameter(
            "{value} is no folder. Name another place to copy to.", {"parameter": "to", "value": str(folder)}
        )
    names = {name for name in os.listdir(folder) if not name.startswith(".")} if folder.is_dir() else set()  # noqa: PTH208
    if names and not names & _OWN_FOLDERS:
        raise InvalidParameter(
            "{value} is neither empty nor a data directory. Name an empty folder, or one that does not exist.",
            {"parameter": "to", "value": str(folder)},
        )
