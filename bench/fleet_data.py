"""Thousands of classifiers without training them: made-up heads and adapters, saved as a training saves them.

Owns what they are made of; knows nothing of what is measured with them.
"""

import random
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from itertools import cycle
from pathlib import Path

import numpy as np
import numpy.typing as npt
from draws import TICKETS, tickets

from windrow.domain.classifier import Record
from windrow.domain.dataset import Dataset, Row
from windrow.domain.recipe import DEFAULT_BASE_MODEL
from windrow.domain.training_report import AdapterReport, Candidate, FitReport, HeadReport, ScoreReport
from windrow.encoders.folder import EncoderFolder, find_encoder_folder
from windrow.encoders.layout import adapted_projections, feature_size
from windrow.learning.head import LinearHead
from windrow.storage.artifact import ARTIFACT, ROWS, Artifact, artifact_to_bytes, rows_to_blob
from windrow.storage.catalog import Catalog, NewRevision
from windrow.storage.files import LocalFiles
from windrow.storage.namespace import Namespace

LABELS, RANK = len(TICKETS), 8
LIBRARIES = ("windrow", "numpy", "scipy", "scikit-learn", "onnxruntime", "tokenizers", "torch")
FIRST_DAY = datetime(2025, 9, 15, 10, 30, tzinfo=UTC)


class UnsyncedFiles(LocalFiles):
    """A place that need not outlive a power cut, and where every name is written once: a hundred times faster."""

    def put_new(self, key: str, data: bytes, same_as: str | None = None) -> None:  # noqa: ARG002 - nothing is linked
        """Write the file where it belongs."""
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def version_token(self, prefix: str) -> str | None:
        """Say that no name came or went, since each is written by nobody else; its own files are listed."""
        return None if "/" in prefix else ""


@dataclass(frozen=True, slots=True)
class Fleet:
    """Writes classifiers into a data directory. Made by :func:`open_fleet`.

    Args:
        catalog: Where they go.
        folder: The encoder that they are for.
        versions: Of the libraries, as a record has them.
    """

    catalog: Catalog
    folder: EncoderFolder
    versions: dict[str, str]

    def write(self, names: Iterable[str], seed: int = 0) -> None:
        """Write classifiers with a head alone, each with its own; another seed gives other heads."""
        chance = np.random.default_rng(seed)
        for name in names:
            self._publish(name, artifact_to_bytes(self._artifact(chance, has_adapter=False)))

    def write_adapted(self, names: Iterable[str], distinct: int) -> None:
        """Write classifiers that share so many distinct heads with adapters, dealt in turn."""
        chance = np.random.default_rng(1)
        artifacts = [artifact_to_bytes(self._artifact(chance, has_adapter=True)) for _ in range(distinct)]
        for name, artifact in zip(names, cycle(artifacts), strict=False):
            self._publish(name, artifact)

    def _artifact(self, chance: np.random.Generator, *, has_adapter: bool) -> Artifact:
        shape = LABELS, feature_size(self.folder)
        head = LinearHead(chance.standard_normal(shape, np.float32), chance.standard_normal(LABELS, np.float32))
        return Artifact(head, self._changes(chance) if has_adapter else None)

    def _changes(self, chance: np.random.Generator) -> dict[str, npt.NDArray[np.float16]]:
        tensors = {}
        for name, (inner, outer) in adapted_projections(self.folder):
            for side, shape in (("down", (inner, RANK)), ("up", (RANK, outer))):
                tensors[f"{name}.{side}"] = chance.normal(0, 0.01, shape).astype(np.float16)
        return tensors

    def _publish(self, name: str, artifact: bytes) -> None:
        """Save a classifier whose record repeats nothing of others that users choose or chance decides."""
        chance = random.Random(name)
        dataset = Dataset(tuple(Row(f"{row['text']} {name}", f"{name}_{row['label']}") for row in tickets()))
        rows, wrong = chance.randrange(1_000, 9_999), chance.randrange(20)
        report = AdapterReport(
            scale=0.0,
            reason=f"No change is needed: the encoder as it is misplaces {wrong} of {rows} rows.",
            candidates=(Candidate(0.0, round(1 - wrong / rows, 4)),),
        )
        record = Record(
            name=name,
            revision=0,
            labels=dataset.labels,
            rows_per_label=dataset.rows_per_label,
            num_examples=dataset.num_examples,
            base_model=self.folder.base_model.id,
            base_model_digest=self.folder.base_model.digest,
            base_model_revision=self.folder.base_model.revision,
            training_data_sha256=dataset.sha256,
            created_at=FIRST_DAY + timedelta(seconds=chance.randrange(10**7)),
            training_time_seconds=round(chance.uniform(0.5, 60), 3),
            head=HeadReport(4.0, round(chance.uniform(0.5, 1), 4), 5),
            adapter=report,
            scores=ScoreReport(round(chance.uniform(0.5, 2), 4), "prior", None, None),
            versions=self.versions,
            report=FitReport(0, 0, 0, (), dataset.majority_accuracy, None),
            warnings=(),
        )
        self.catalog.publish(NewRevision(record, {ARTIFACT: artifact, ROWS: rows_to_blob(dataset.jsonl)}))


def open_fleet(data_dir: Path) -> Fleet:
    """Return the writer for a data directory."""
    folder = find_encoder_folder(DEFAULT_BASE_MODEL, data_dir=data_dir, allowed=(DEFAULT_BASE_MODEL,), offline=True)
    return Fleet(
        catalog=Catalog(Namespace(UnsyncedFiles(data_dir), nullcontext)),
        folder=folder,
        versions={library: version(library) for library in LIBRARIES},
    )
