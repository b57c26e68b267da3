"""A service with all of its real wiring on a real folder, and an encoder and trainings that take no time."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from tests.fakes.encoder import FakeEncoder
from tests.fakes.runner import RememberingRunner
from windrow.bootstrap import open_service
from windrow.domain.base_models import StoredBaseModel
from windrow.domain.classifier import FitRequest
from windrow.domain.dataset import Row
from windrow.domain.errors import BaseModelNotAllowed, BaseModelUnavailable
from windrow.domain.prediction import Prediction, PredictRequest
from windrow.domain.recipe import DEFAULT_BASE_MODEL, Recipe
from windrow.encoders.inventory import Inventory
from windrow.encoders.session import TextEncoder
from windrow.execution.frames import Frame
from windrow.execution.predictor import Memory, Predictor
from windrow.execution.residents import ResidentEncoders
from windrow.execution.runner import Runner
from windrow.service.service import Service
from windrow.settings import Settings
from windrow.storage.aliases import Aliases
from windrow.storage.catalog import Catalog
from windrow.storage.namespace import Namespace

ROWS = tuple(
    Row(f"{text} {number}", label)
    for label, text in (("billing", "charged twice invoice"), ("bug", "crash error screen"))
    for number in range(4)
)
# The same texts under other labels, so that each answer tells which of the two gave it.
SHOUTING = tuple(Row(row.text, row.label.upper()) for row in ROWS)
REQUEST = FitRequest("tickets_v1", ROWS, DEFAULT_BASE_MODEL, Recipe(num_iterations=0))

_OUTCOMES: dict[bytes, Frame] = {}

# Opens a service on a folder, with other settings, and closes it after the test.
Open = Callable[..., Service]


class FakeInventory(Inventory):
    """Has the base models of some encoders, and no folder."""

    def __init__(self, encoders: Mapping[str, TextEncoder]) -> None:
        self._encoders = encoders

    def stored_base_models(self) -> tuple[StoredBaseModel, ...]:
        """Return what there is now."""
        folders = (encoder.folder for encoder in self._encoders.values())
        return tuple(StoredBaseModel(folder.base_model, "data_directory", 0, 0) for folder in folders)


def fake_service(
    data_dir: Path,
    encoders: Mapping[str, TextEncoder] | None = None,
    runner: Runner | None = None,
    names: Namespace | None = None,
    **settings: object,
) -> Service:
    """Return a service that is not started.

    Args:
        data_dir: Where it saves.
        encoders: By the id of their base model, looked up when one is needed; ``None`` for one that needs no model.
        runner: Where trainings run; ``None`` for the calling thread, once for all tests.
        names: Where classifiers and aliases are saved; ``None`` for the data directory.
        settings: What is not to be as it is by default.
    """
    known = {DEFAULT_BASE_MODEL: FakeEncoder()} if encoders is None else encoders
    # What is allowed is asked twice: here every id, and by the encoders below those that are known.
    allowed = {"allowed_base_models": ("*",), **settings}
    service = open_service(Settings(data_dir=data_dir, **allowed))  # type: ignore[arg-type]

    def load(base_model_id: str) -> TextEncoder:
        if base_model_id == "not/allowed":
            raise BaseModelNotAllowed(f"{base_model_id} is not allowed. Choose another one.")
        if base_model_id not in known:
            raise BaseModelUnavailable(f"{base_model_id} is not on this machine. Bring it back.")
        return known[base_model_id]

    store = replace(service.store, inventory=FakeInventory(known))
    if names is not None:
        store = replace(store, names=names, catalog=Catalog(names), aliases=Aliases(names))
    resident = ResidentEncoders(load)
    limits = service.settings
    memory = Memory(limits.max_loaded_bytes, limits.max_encoded_bytes, limits.keep_loaded)
    predictor = Predictor(store.catalog, resident, service.queue, memory)
    runner = runner or RememberingRunner(_OUTCOMES)
    return replace(service, store=store, encoders=resident, runner=runner, predictor=predictor)


def fit(service: Service, name: str = "tickets_v1", **changes: object) -> int:
    """Train a classifier and return its revision."""
    request = replace(REQUEST, model_name=name, **changes)  # type: ignore[arg-type]
    return service.fit(request).classifier.record.revision


def ask(service: Service, name: str, text: str) -> Prediction:
    """Return one classifier's answer for one text."""
    (answer,) = service.predict(PredictRequest((name,), (text,)))
    return answer


def revisions(service: Service) -> list[tuple[str, int]]:
    """Return what is listed."""
    listed = service.list_classifiers().classifiers
    return [(classifier.record.name, classifier.record.revision) for classifier in listed]


def blob_of(service: Service, name: str, role: str = "artifact") -> Path:
    """Return where a blob of a classifier's newest revision lies."""
    ref = service.store.catalog.current(name).blobs[role]
    return service.settings.data_dir / "classifiers" / name / "blobs" / ref.file_name


def alter(path: Path) -> None:
    """Change one bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
