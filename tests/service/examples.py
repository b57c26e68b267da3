"""A service with all of its real wiring on a real folder, and an encoder and trainings that take no time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tests.fakes.encoder import FakeEncoder
from tests.fakes.runner import RememberingRunner
from windrow.bootstrap import open_dependencies, open_store
from windrow.domain.base_models import StoredBaseModel
from windrow.domain.classifier import Classifier, ClassifierDetails, FitRequest, ModelRequest
from windrow.domain.dataset import Row
from windrow.domain.errors import BaseModelNotAllowed, BaseModelUnavailable
from windrow.domain.listing import ListRequest
from windrow.domain.prediction import Prediction, PredictRequest
from windrow.domain.recipe import DEFAULT_BASE_MODEL
from windrow.domain.store_url import StoreUrl
from windrow.domain.values import recast
from windrow.encoders.inventory import Inventory
from windrow.encoders.onnx_encoder import TextEncoder
from windrow.execution.encoder_registry import EncoderRegistry
from windrow.execution.runner import Runner
from windrow.service.service import Service
from windrow.settings import Settings
from windrow.storage.alias_store import Aliases
from windrow.storage.catalog import Catalog
from windrow.storage.namespace import Namespace

ROWS = tuple(
    Row(f"{text} {number}", label)
    for label, text in (("billing", "charged twice invoice"), ("bug", "crash error screen"))
    for number in range(4)
)
# The same texts under other labels, so that each answer tells which of the two gave it.
SHOUTING = tuple(Row(row.text, row.label.upper()) for row in ROWS)
REQUEST = FitRequest("tickets_v1", ROWS, num_iterations=0)

# Opens a service on a folder, with other settings, and closes it after the test.
Open = Callable[..., Service]


class FakeInventory(Inventory):
    """Has the base models of some encoders, and no folder."""

    def __init__(self, encoders: Mapping[str, TextEncoder]) -> None:
        self._encoders = encoders

    def stored_base_models(self) -> tuple[StoredBaseModel, ...]:
        """Return what there is now."""
        pinned = (encoder.folder.base_model for encoder in self._encoders.values())
        return tuple(
            recast(StoredBaseModel, each, location="data_directory", size_bytes=0, graph_bytes=0) for each in pinned
        )

    def holds(self, model_id: str) -> bool:
        """Return whether there is a base model now."""
        return model_id in self._encoders


def fake_service(
    data_dir: Path | StoreUrl,
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

    def load(base_model_id: str) -> TextEncoder:
        if base_model_id == "not/allowed":
            raise BaseModelNotAllowed("{id} is not allowed. Choose another one.", {"id": base_model_id})
        if base_model_id not in known:
            raise BaseModelUnavailable("{id} is not on this machine. Bring it back.", {"id": base_model_id})
        return known[base_model_id]

    # What is allowed is asked twice: here every id, and by the encoders above those that are known.
    chosen = Settings(data_dir=data_dir, **{"allowed_base_models": ("*",), **settings})  # type: ignore[arg-type]
    store = replace(open_store(chosen), inventory=FakeInventory(known))
    if names is not None:
        store = replace(store, names=names, catalog=Catalog(names), aliases=Aliases(names))
    dependencies = open_dependencies(chosen, store, EncoderRegistry(load))
    return Service(replace(dependencies, runner=runner or RememberingRunner()))


def altered(service: Service, **parts: object) -> Service:
    """Return a service that works with other parts, be they its own or those of its store."""
    dependencies = service.dependencies
    of_store = {name: parts.pop(name) for name in ("names", "catalog", "aliases", "inventory") if name in parts}
    store = replace(dependencies.store, **of_store)  # type: ignore[arg-type]
    return Service(replace(dependencies, store=store, **parts))  # type: ignore[arg-type]


def fit(service: Service, name: str = "tickets_v1", rows: Sequence[Row] = ROWS, **changes: object) -> int:
    """Train a classifier and return its revision."""
    request = replace(REQUEST, model_name=name, training_data=tuple(rows), **changes)  # type: ignore[arg-type]
    return service.fit(request).revision


def ask(service: Service, name: str, text: str, **how: object) -> Prediction:
    """Return one classifier's answer for one text."""
    (answer,) = service.predict(PredictRequest(model_name=name, text=text, **how))  # type: ignore[arg-type]
    return answer


def show(service: Service, name: str = "tickets_v1") -> ClassifierDetails:
    """Return everything about a classifier."""
    return service.show(ModelRequest(name))


def listed(service: Service) -> tuple[Classifier, ...]:
    """Return the classifiers that answer."""
    return service.list_classifiers(ListRequest()).models


def revisions(service: Service) -> list[tuple[str, int]]:
    """Return names and revisions of what is listed."""
    return [(classifier.name, classifier.revision) for classifier in listed(service)]


def blob_of(service: Service, name: str, role: str = "artifact") -> Path:
    """Return where a blob of a classifier's newest revision lies."""
    ref = service.dependencies.store.catalog.current(name).blobs[role]
    return service.dependencies.settings.local_dir / "classifiers" / name / "blobs" / ref.file_name


def alter(path: Path) -> None:
    """Change one bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def notes_of(classifier: Classifier) -> tuple[str, tuple[str, ...]]:
    """Return what a person says about a classifier."""
    return classifier.description, classifier.tags
