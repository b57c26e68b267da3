"""Classifies shards of files in a process on a node of a Ray cluster, as an actor of Ray Data.

Nothing here imports Ray at the start: the module is also read where Ray is not installed. What goes in and out are
strings, numbers and the bytes of an exported classifier; results go from here straight to where they are to be.
"""

import json
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from windrow.codec.strict import parse_json
from windrow.codec.values import from_json
from windrow.domain.errors import InvalidParameter, WindrowError
from windrow.domain.file_prediction import PredictFilesRequest
from windrow.domain.recipe import BaseModel
from windrow.execution.exported_classifier import ExportedClassifier, find_opener
from windrow.execution.file_manifest import Part, read_manifest
from windrow.execution.ray_base_models import place_base_model
from windrow.execution.ray_versions import own_versions
from windrow.execution.shard_prediction import ShardCounts, ShardPredictor
from windrow.storage.places import open_place

# Where a machine of its own does not see what others do.
_SHARE: Final = "Put files where each node reaches them: in an object store, or in a folder that all nodes share."


class ShardActor:
    """Classifies one shard at a time; opens the classifier once.

    Args:
        job: A JSON object: ``request`` and ``base_model`` as JSON, ``address`` and ``id`` of the results, ``threads``,
            ``max_text_chars``.
        archive: A list with the exported classifier, or a reference of Ray's to it.
        base_model_files: A list with a reference to the base model's files; empty for the one that came with Windrow.
    """

    def __init__(self, job: str, archive: list[Any], base_model_files: list[Any]) -> None:
        self._job: Any = parse_json(job.encode())
        self._archive = archive
        self._base_model_files = base_model_files
        self._opened = ExitStack()
        self._predictor: ShardPredictor | None = None

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """Classify a shard, and return its numbers and counts, or what is wrong.

        Args:
            row: The shard, as ``file`` and ``shard``.
        """
        part = Part(int(row["file"]), int(row["shard"]))
        told: dict[str, Any] = {**asdict(part), **_plain(ShardCounts())}
        told |= {"versions": json.dumps(own_versions() | {"node": _node()}), "problem": ""}
        try:
            if self._predictor is None:
                self._predictor = self._open()
            return told | _plain(self._predictor.predict(part, _no_rows))
        except WindrowError as error:
            return told | {"problem": _problem(_on_node(error))}

    def _open(self) -> ShardPredictor:
        job = self._job
        place, address = open_place(job["address"])
        manifest = read_manifest(place, address)
        if manifest is None or manifest.id != job["id"]:
            raise InvalidParameter(
                f"{{output}} is not there on node {{node}} of the Ray cluster, or is another folder. {_SHARE}",
                {"parameter": "output", "output": address, "node": _node()},
            )
        operations = self._opened.enter_context(find_opener()(self._exported()))
        return ShardPredictor(operations, from_json(PredictFilesRequest, job["request"]), manifest, place, address)

    def _exported(self) -> ExportedClassifier:
        import ray

        base_model, folder = from_json(BaseModel, self._job["base_model"]), None
        if self._base_model_files:
            folder = Path(place_base_model(self._base_model_files[0], base_model))
        archive = self._archive[0]
        archive = archive if isinstance(archive, bytes) else ray.get(archive)
        return ExportedClassifier(
            archive, base_model.id, folder, int(self._job["threads"]), int(self._job["max_text_chars"])
        )


def _plain(counts: ShardCounts) -> dict[str, Any]:
    """Return counts as Ray's tables hold them, whose columns have one type each."""
    return asdict(counts) | {"labels": json.dumps(counts.labels)}


def _no_rows(rows: int) -> None:
    """Tell nobody: what is done is told shard by shard."""


def _node() -> str:
    import ray

    address: Any = ray.util.get_node_ip_address()  # type: ignore[no-untyped-call]
    return f"{address}/{ray.get_runtime_context().get_node_id()[:8]}"


def _on_node(error: WindrowError) -> WindrowError:
    """Return an error with the node where a file is missing that the driver has seen."""
    if not (isinstance(error, InvalidParameter) and error.facts.get("parameter") == "input"):
        return error
    return InvalidParameter(
        f"{{file}} cannot be read on node {{node}} of the Ray cluster. {_SHARE}", {**error.facts, "node": _node()}
    )


def _problem(error: WindrowError) -> str:
    return json.dumps({"code": error.code, "template": error.template, "facts": error.facts}, default=str)
