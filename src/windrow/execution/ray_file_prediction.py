"""Have a Ray cluster classify the shards of files, through a driver in a process of its own."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Protocol, runtime_checkable

from windrow.codec.values import to_json
from windrow.domain.archive import ExportRequest
from windrow.domain.classifier import ModelRequest
from windrow.domain.errors import BaseModelUnavailable, ClusterUnavailable, InvalidParameter, WindrowError, class_of
from windrow.domain.file_prediction import PredictFilesRequest
from windrow.domain.recipe import BaseModel
from windrow.encoders.folder import find_bundled, find_encoder_folder, read_bundled
from windrow.execution.control import TrainingControl
from windrow.execution.file_manifest import Manifest, Part
from windrow.execution.isolation import trim_environment
from windrow.execution.ray_cluster import check_runner, driver_environment
from windrow.execution.runner import close_pipes, kill_process
from windrow.execution.shard_prediction import ShardCounts
from windrow.operations import Operations
from windrow.settings import Settings, read_settings

DRIVER_COMMAND: Final = (sys.executable, "-P", "-m", "windrow.execution.ray_file_driver")


@runtime_checkable
class OnThisMachine(Protocol):
    """Verbs on a data directory, beside which base models lie on this machine."""

    @property
    def local_dir(self) -> Path:
        """The folder with ``base_models``."""
        ...


class ClusterPredictor:
    """Classifies shards on a cluster.

    Args:
        operations: Export the classifier.
        request: What was asked for.
        manifest: What pins it.
        address: Where results go.

    Raises:
        InvalidParameter: Ray is not installed.
        BaseModelUnavailable: The base model did not come with Windrow, and is not on this machine.
        WindrowError: As ``export`` raises.
    """

    def __init__(self, operations: Operations, request: PredictFilesRequest, manifest: Manifest, address: str) -> None:
        settings = read_settings()
        check_runner(replace(settings, runner=request.runner))
        base_model = operations.show(ModelRequest(manifest.reference)).pinned
        exported = operations.export(ExportRequest(manifest.reference))
        try:
            self._archive = b"".join(exported.chunks)
        finally:
            exported.close()
        threads = settings.encoder_threads or 1
        self._job: dict[str, Any] = {
            "archive_bytes": len(self._archive),
            "runner": request.runner,
            "threads": threads,
            "workers": request.workers,
            "base_model_folder": _folder_of(base_model, settings, operations),
            "actor": {
                "request": to_json(request).decode(),
                "base_model": to_json(base_model).decode(),
                "address": address,
                "id": manifest.id,
                "threads": threads,
                "max_text_chars": settings.max_text_chars,
            },
        }

    def predict(
        self, parts: tuple[Part, ...], on_shard: Callable[[Part, ShardCounts], None], control: TrainingControl
    ) -> None:
        """Classify shards.

        Args:
            parts: The shards.
            on_shard: Called with each one that is whole, in any order.
            control: Cancels it.

        Raises:
            ClusterUnavailable: The cluster cannot be reached or used, or was lost.
            WindrowError: What is wrong with a file, a row or the output; the reason of the cancellation.
        """
        job = {**self._job, "parts": [(part.file, part.shard) for part in parts]}
        with _driver() as process, control.on_cancel(process.kill):
            assert process.stdin is not None
            with contextlib.suppress(OSError):  # that it has ended is seen below
                process.stdin.write(json.dumps(job).encode() + b"\n" + self._archive)
                process.stdin.flush()
            for told in _replies(process, control):
                part = Part(told.pop("file"), told.pop("shard"))
                labels = {label: (rows, total) for label, (rows, total) in json.loads(told.pop("labels")).items()}
                on_shard(part, ShardCounts(**told, labels=labels))


@contextlib.contextmanager
def _driver() -> "Iterator[subprocess.Popen[bytes]]":
    # Its own process group: Ctrl-C in a terminal is this process's.
    process = subprocess.Popen(
        DRIVER_COMMAND,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        process_group=0,
        env=driver_environment(trim_environment()),
    )
    try:
        yield process
    finally:
        kill_process(process)
        close_pipes(process)


def _replies(process: "subprocess.Popen[bytes]", control: TrainingControl) -> Iterator[dict[str, Any]]:
    """Yield what the driver tells of shards, until all is done."""
    assert process.stdout is not None
    for line in process.stdout:
        told = json.loads(line)
        if "done" in told:
            return
        if "problem" in told:
            raise _error(told["problem"])
        yield told
    control.raise_if_cancelled()
    raise ClusterUnavailable(
        "The connection to the Ray cluster was lost. What is whole stays. Look whether the cluster's head runs, and "
        "run the same command again, which goes on from there.",
        {"problem": "lost"},
    )


def _error(problem: dict[str, Any]) -> WindrowError:
    return (class_of(problem["code"]) or InvalidParameter)(problem["template"], problem["facts"])


def _folder_of(base_model: BaseModel, settings: Settings, operations: Operations) -> str | None:
    """Return where this machine has a base model; ``None`` for the one that came with Windrow."""
    bundled = find_bundled()
    if bundled is not None and read_bundled(bundled).base_model == base_model:
        return None
    found = find_encoder_folder(
        base_model.id,
        data_dir=operations.local_dir if isinstance(operations, OnThisMachine) else settings.local_dir,
        allowed=settings.allowed_base_models,
        offline=settings.offline,
    )
    if found.base_model.digest != base_model.digest:
        raise BaseModelUnavailable(
            "The base model {base_model} on this machine is not the one that the classifier was trained on, so it "
            "cannot be sent to the Ray cluster. Put that one below base_models in the data directory.",
            {"base_model": base_model.id},
        )
    return str(found.root)
