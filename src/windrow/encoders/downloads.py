"""Get a base model from the Hugging Face hub, always at the same commit: that of the allow-list, or the first one."""

import errno
import logging
import os
import secrets
from contextlib import suppress
from pathlib import Path

from windrow.disk import disk_error, make_private, read_plain, reason, whole_file
from windrow.domain.base_models import is_commit
from windrow.domain.errors import BaseModelUnavailable, InvalidBaseModel

WEIGHTS_FILE = "model.safetensors"
# In the data directory's folder of base models: a file for each base model that was taken from the hub.
COMMITS_FOLDER = "commits"
# "*" takes in folders too: "*.json" matches "1_Pooling/config.json".
_DOWNLOADED = ["*.json", "*.txt", WEIGHTS_FILE, f"*_Transformer/{WEIGHTS_FILE}"]
_MAX_COMMIT_FILE_BYTES = 100
# Nothing can be trained in a data directory that cannot be written for these reasons, so no later download can differ
# from what its classifiers were trained on, and their records hold digests.
_READ_ONLY = frozenset((errno.EROFS, errno.EACCES, errno.EPERM))

_log = logging.getLogger("windrow.encoders")


def find_snapshot(model_id: str, own: Path, pin: str | None, *, offline: bool) -> Path:
    """Return the folder of a base model in the Hugging Face cache, which is downloaded where it is not whole.

    What was taken first is remembered, so that whoever changes the repository on the hub changes nothing here.

    Args:
        model_id: ``owner/name``, which may be used.
        own: Where a copy in the data directory would lie; the commit is remembered beside it.
        pin: The commit that the allow-list asks for; ``None`` takes the one that is remembered, else the newest.
        offline: Whether to leave the network alone.

    Returns:
        The folder, named for its commit.

    Raises:
        BaseModelUnavailable: It is not on this machine and cannot be downloaded.
        InvalidBaseModel: The file that remembers its commit is damaged.
        StorageFull: The disk is full, and its commit cannot be remembered.
        StorageFailed: Its commit cannot be remembered, although the data directory can be written.
    """
    commit = pin or remembered_commit(own)
    snapshot = _snapshot(model_id, own, commit, offline)
    if commit is not None:
        return snapshot
    first = _remember(own, snapshot.name)
    return snapshot if first == snapshot.name else _snapshot(model_id, own, first, offline)


def remembered_commit(own: Path) -> str | None:
    """Return the commit of which a base model was first taken from the hub; ``None`` where it never was.

    Args:
        own: Where a copy in the data directory would lie.

    Raises:
        InvalidBaseModel: The file that says so is damaged.
    """
    path = _commit_file(own)
    try:
        text = read_plain(str(path), _MAX_COMMIT_FILE_BYTES).decode().strip()
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        text = ""
    if is_commit(text):
        return text
    raise InvalidBaseModel(
        "The base model's folder {folder} {why}. {advice}",
        {
            "folder": str(own),
            "why": f"has no readable commit in {COMMITS_FOLDER}/{path.name}",
            "advice": "Write the commit there that the records of its classifiers name, or remove that file to take "
            "the newest one.",
        },
    )


def _commit_file(own: Path) -> Path:
    return own.parent / COMMITS_FOLDER / own.name


def _remember(own: Path, commit: str) -> str:
    """Remember a commit unless one is remembered, or nothing can be, and return the one that counts."""
    path = _commit_file(own)
    mine = path.with_name(f".windrow-{secrets.token_hex(8)}")
    try:
        make_private(path.parent)
        with whole_file(mine) as file:
            file.write(f"{commit}\n".encode())
        try:
            with suppress(FileExistsError):  # another process was faster
                os.link(mine, path)
        finally:
            mine.unlink()
    except OSError as error:
        if error.errno in _READ_ONLY:
            _log.warning("The commit of the base model in %s cannot be kept (%s).", own.name, reason(error))
            return commit
        raise disk_error(
            error,
            "The commit of the base model {base_model} cannot be kept ({why}), so it is not used. Let the server write "
            "to the data directory, and try again.",
            "The commit of the base model {base_model} cannot be kept ({why}). Free some space, and try again.",
            base_model=own.name.replace("--", "/"),
        ) from error
    return remembered_commit(own) or commit


def _snapshot(model_id: str, own: Path, commit: str | None, offline: bool) -> Path:
    # The hub's client takes 0.3 s to import, and the default base model never needs it.
    import huggingface_hub
    from huggingface_hub.errors import HTTPError, LocalEntryNotFoundError  # type: ignore[attr-defined]
    from huggingface_hub.utils.tqdm import disable_progress_bars

    def download(local: bool) -> Path:
        found = huggingface_hub.snapshot_download(
            model_id, revision=commit, allow_patterns=_DOWNLOADED, local_files_only=local
        )
        return Path(found)

    try:
        cached = download(local=True)
        if offline or _is_complete(cached):
            return cached
    except LocalEntryNotFoundError as error:
        if offline:
            raise _unavailable(model_id, own, "WINDROW_OFFLINE is set", ", or unset WINDROW_OFFLINE") from error
    disable_progress_bars()
    try:
        return download(local=False)
    except (OSError, HTTPError) as error:  # no network, no such model or commit, gated, cut off, disk full
        told = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise _unavailable(model_id, own, f"it could not be downloaded: {told}", "") from error


def _is_complete(snapshot: Path) -> bool:
    # Another program may have fetched a part only, such as the tokenizer; the rest is then downloaded.
    return (snapshot / "modules.json").is_file() and any(snapshot.rglob(WEIGHTS_FILE))


def _unavailable(model_id: str, own: Path, reason: str, alternative: str) -> BaseModelUnavailable:
    return BaseModelUnavailable(
        "The base model {base_model} is not on this machine, and {why}. On a machine with a network, run "
        f"'hf download {{base_model}} --local-dir {{folder_name}}', copy that folder to {{folder}}{alternative}, and "
        "try again.",
        {"base_model": model_id, "folder": str(own), "folder_name": own.name, "why": reason},
    )
