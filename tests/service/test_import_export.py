"""Export and import between two data directories: what goes along, what is told, and what is refused."""

import io
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.fakes.encoder import FakeEncoder
from tests.service.examples import REQUEST, ROWS, SHOUTING, Open, alter, ask, blob_of, fit, notes_of, revisions, show
from windrow.domain.alias import PromoteRequest
from windrow.domain.archive import ExportRequest, Imported, ImportRequest
from windrow.domain.caller import Caller, calling
from windrow.domain.classifier import (
    Classifier,
    Copied,
    CopyRequest,
    DeleteRequest,
    ModelRequest,
    Record,
    RestoreRequest,
)
from windrow.domain.dataset import Row
from windrow.domain.errors import (
    BaseModelNotAllowed,
    BaseModelUnavailable,
    ClassifierExists,
    ClassifierNotFound,
    InvalidArchive,
    InvalidArtifact,
    InvalidName,
    NameTaken,
    RevisionNotFound,
    TrainingDataNotKept,
    WindrowError,
)
from windrow.domain.integrity import FsckRequest
from windrow.domain.recipe import DEFAULT_BASE_MODEL
from windrow.domain.report import EvaluateRequest
from windrow.domain.threshold import SetThresholdRequest, Threshold
from windrow.domain.values import recast
from windrow.encoders.onnx_encoder import TextEncoder
from windrow.service.service import Service
from windrow.storage.artifact import ARTIFACT, Artifact, artifact_from_bytes, artifact_to_bytes
from windrow.storage.catalog import NewRevision


@pytest.fixture
def there(opened: Open, tmp_path: Path) -> Service:
    """A service on another data directory."""
    return opened(tmp_path / "there")


def exported(service: Service, name: str = "tickets_v1", *, include_training_data: bool = False) -> bytes:
    export = service.export(ExportRequest(name, include_training_data=include_training_data))
    content = b"".join(export.chunks)
    assert len(content) == export.size_bytes
    return content


def take_in(service: Service, content: bytes, request: ImportRequest = ImportRequest()) -> Imported:
    return service.import_classifier(io.BytesIO(content), request)


def test_an_export_names_no_key_and_an_import_the_one_that_did_it(service: Service, there: Service) -> None:
    with calling(Caller("night")):
        fit(service)
        service.set_threshold(SetThresholdRequest(model_name="tickets_v1", abstain_below=0.25))
    content = exported(service)
    manifest = zipfile.ZipFile(io.BytesIO(content)).read("classifier.json")
    assert b"night" not in manifest
    for request in (ImportRequest(dry_run=True), ImportRequest()):
        with calling(Caller("shop")):
            imported = take_in(there, content, request)
        assert (imported.key_name, [each.key_name for each in imported.threshold_changes]) == ("shop", [None])
    with calling(Caller("deploy")):
        copied = service.copy(CopyRequest("tickets_v1", "twin"))
    assert (copied.key_name, [each.key_name for each in copied.threshold_changes]) == ("deploy", ["night"])
    shown = show(service, "tickets_v1")
    assert (shown.key_name, [each.key_name for each in shown.threshold_changes]) == ("night", ["night"])


def test_what_is_exported_here_and_imported_there_answers_the_same(service: Service, there: Service) -> None:
    fit(service, description="Without the new intents", tags=("eu",))
    fit(service, rows=SHOUTING)
    sent = show(service, "tickets_v1")
    received = take_in(there, exported(service))
    assert (received.status, received.import_warnings) == ("imported", ())
    assert received.revision == 1
    assert recast(Classifier, show(there)) == recast(Classifier, received)
    assert notes_of(received) == ("Without the new intents", ("eu",))
    assert received.origin is not None
    assert (received.origin.name, received.origin.revision) == ("tickets_v1", 2)
    assert received.training_data_sha256 == sent.training_data_sha256
    for text in ("charged twice", "error on screen"):
        assert ask(there, "tickets_v1", text).scores == ask(service, "tickets_v1", text).scores


@pytest.mark.parametrize("name", ["tickets_v1@1", "pinned"])
def test_an_export_is_named_after_the_classifier_whatever_it_is_asked_by(
    service: Service, there: Service, name: str
) -> None:
    fit(service)
    fit(service, rows=SHOUTING)
    service.promote(PromoteRequest("pinned", "tickets_v1@1"))
    assert service.export(ExportRequest(name)).file_name == "tickets_v1.windrow"
    imported = take_in(there, exported(service, name))
    assert imported.labels == ("billing", "bug")


def test_texts_stay_here_unless_they_are_asked_for(service: Service, there: Service) -> None:
    fit(service)
    plain, whole = exported(service), exported(service, include_training_data=True)
    assert not take_in(there, plain).keeps_training_data
    with pytest.raises(TrainingDataNotKept):
        there.reproduce(ModelRequest("tickets_v1"))
    assert take_in(there, whole, ImportRequest("with_rows")).keeps_training_data
    assert there.reproduce(ModelRequest("with_rows")).verdict == "identical weights"
    with zipfile.ZipFile(io.BytesIO(plain)) as file:
        unpacked = b"".join(file.read(name) for name in file.namelist())
    assert not [row.text for row in ROWS if row.text.encode() in unpacked or row.text.encode() in plain]


def test_what_was_measured_on_a_test_set_goes_along(service: Service, there: Service) -> None:
    fit(service)
    rows = (*ROWS, Row("charged twice", "bug"))
    report = service.evaluate(EvaluateRequest("tickets_v1", rows))
    service.set_threshold(SetThresholdRequest("tickets_v1", 0.25, reason="Sure answers only", author="ana"))
    set_there = show(service).threshold_changes
    received = take_in(there, exported(service))
    assert (received.test, received.threshold, received.threshold_changes) == (report.score, Threshold(0.25), set_there)
    assert recast(Classifier, show(there)) == recast(Classifier, received)
    back = take_in(service, exported(there), ImportRequest("back"))
    assert (back.test, back.threshold_changes) == (report.score, set_there)


def test_a_threshold_that_came_along_is_heeded(service: Service, there: Service) -> None:
    fit(service)
    service.set_threshold(SetThresholdRequest("tickets_v1", 1.0))
    take_in(there, exported(service))
    assert ask(there, "tickets_v1", "charged twice").label is None
    assert ask(there, "tickets_v1", "charged twice").scores == ask(service, "tickets_v1", "charged twice").scores


def test_a_new_name_is_given_on_import_and_the_old_one_is_remembered(service: Service, there: Service) -> None:
    fit(service)
    imported = take_in(there, exported(service), ImportRequest("from_afar"))
    assert revisions(there) == [("from_afar", 1)]
    assert imported.origin is not None
    assert imported.origin.name == "tickets_v1"
    assert ask(there, "from_afar", "error").model_name == "from_afar"


def test_an_import_follows_an_existing_classifier_only_where_it_may(service: Service, there: Service) -> None:
    fit(service)
    fit(there, rows=SHOUTING)
    content = exported(service)
    for dry_run in (True, False):
        with pytest.raises(ClassifierExists):
            take_in(there, content, ImportRequest(dry_run=dry_run))
        may = ImportRequest(overwrite=True, dry_run=dry_run)
        assert take_in(there, content, may).revision == 2
        assert len(show(there, "tickets_v1").revisions) == (1 if dry_run else 2)
    assert ask(there, "tickets_v1", "error").label == "bug"
    assert ask(there, "tickets_v1@1", "error").label == "BUG"


def test_a_dry_run_says_what_would_be_saved_and_saves_nothing(service: Service, there: Service) -> None:
    fit(service)
    content = exported(service)
    planned = take_in(there, content, ImportRequest(dry_run=True))
    assert planned.status == "dry_run"
    assert revisions(there) == []
    assert not list(there.dependencies.settings.local_dir.glob("classifiers/*"))
    done = take_in(there, content)
    assert done == replace(planned, status="imported", origin=done.origin)


@pytest.mark.parametrize(
    ("name", "error"),
    [("!", InvalidName), ("a@1", InvalidName), ("known", NameTaken), ("OTHER", NameTaken)],
)
def test_an_import_under_a_name_that_it_cannot_have_is_refused(
    service: Service, there: Service, name: str, error: type[WindrowError]
) -> None:
    fit(service)
    fit(there, "other")
    there.promote(PromoteRequest("known", "other"))
    for dry_run in (True, False):
        with pytest.raises(error):
            take_in(there, exported(service), ImportRequest(name, dry_run=dry_run))
    assert revisions(there) == [("other", 1)]


def test_a_missing_base_model_is_a_warning_and_once_it_is_there_the_classifier_answers(
    opened: Open, tmp_path: Path
) -> None:
    here: dict[str, TextEncoder] = {"other/one": FakeEncoder("other/one")}
    fit(opened(encoders=here), base_model="other/one")
    known: dict[str, TextEncoder] = {}
    there = opened(tmp_path / "there", encoders=known)
    for dry_run in (True, False):
        (warning,) = take_in(there, exported(opened(encoders=here)), ImportRequest(dry_run=dry_run)).import_warnings
        assert warning.code == "base_model_missing"
        assert "other/one" in warning.message
    with pytest.raises(BaseModelUnavailable):
        ask(there, "tickets_v1", "error")
    known.update(here)
    assert ask(there, "tickets_v1", "error").label == "bug"


def test_a_base_model_that_is_not_allowed_is_refused_as_in_a_training(opened: Open, tmp_path: Path) -> None:
    here: dict[str, TextEncoder] = {"other/one": FakeEncoder("other/one")}
    fit(opened(encoders=here), base_model="other/one")
    there = opened(tmp_path / "there", encoders=here, allowed_base_models=(DEFAULT_BASE_MODEL,))
    for dry_run in (True, False):
        with pytest.raises(BaseModelNotAllowed, match="WINDROW_ALLOWED_BASE_MODELS"):
            take_in(there, exported(opened(encoders=here)), ImportRequest(dry_run=dry_run))
    assert revisions(there) == []


def test_a_base_model_that_is_another_one_there_is_a_warning(opened: Open, tmp_path: Path) -> None:
    service = opened()
    fit(service)
    other: dict[str, TextEncoder] = {DEFAULT_BASE_MODEL: FakeEncoder(digest="0" * 64)}
    (warning,) = take_in(opened(tmp_path / "there", encoders=other), exported(service)).import_warnings
    assert warning.code == "base_model_missing"
    assert "fafafafafafa" in warning.message


class WideEncoder(FakeEncoder):
    """Says that it is the same base model, though its features are wider."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = type(self._folder)(
            **{name: getattr(self._folder, name) for name in self._folder.__slots__} | {"hidden_size": 128}
        )


def test_a_head_that_does_not_fit_the_base_model_here_is_refused_and_nothing_is_saved(
    opened: Open, tmp_path: Path
) -> None:
    service = opened()
    fit(service)
    there = opened(tmp_path / "there", encoders={DEFAULT_BASE_MODEL: WideEncoder()})
    with pytest.raises(InvalidArchive) as caught:
        take_in(there, exported(service))
    assert caught.value.facts["problem"] == "does_not_fit_base_model"
    assert revisions(there) == []


def test_an_adapter_that_does_not_fit_the_base_model_here_is_refused_and_nothing_is_saved(
    service: Service, there: Service
) -> None:
    fit(service)
    record = service.dependencies.store.find("tickets_v1").entry.record
    head = artifact_from_bytes(blob_of(service, "tickets_v1").read_bytes()).head
    odd = Artifact(head, {"layers.99.query.down": np.ones((2, 1), np.float16)})
    service.dependencies.store.catalog.publish(NewRevision(record, {ARTIFACT: artifact_to_bytes(odd)}))
    for dry_run in (True, False):
        with pytest.raises(InvalidArchive, match=r"layers\.99") as caught:
            take_in(there, exported(service), ImportRequest(dry_run=dry_run))
        assert caught.value.facts["problem"] == "does_not_fit_base_model"
    assert revisions(there) == []


@pytest.mark.parametrize("cut", [0, 1, 500])
def test_what_is_no_whole_export_is_refused_and_nothing_is_saved(service: Service, there: Service, cut: int) -> None:
    fit(service)
    content = exported(service)
    with pytest.raises(InvalidArchive):
        take_in(there, content[: len(content) - cut] if cut else b"")
    assert revisions(there) == []


def test_a_file_larger_than_allowed_is_refused(opened: Open, tmp_path: Path) -> None:
    service = opened()
    fit(service)
    with pytest.raises(InvalidArchive):
        take_in(opened(tmp_path / "there", max_import_bytes=1_000), exported(service))


def test_what_cannot_be_exported_says_why(opened: Open) -> None:
    service = opened(keep_training_data=False)
    service.fit(REQUEST)
    for name, error in (("!", InvalidName), ("elsewhere", ClassifierNotFound), ("tickets_v1@2", RevisionNotFound)):
        with pytest.raises(error):
            service.export(ExportRequest(name))
    with pytest.raises(TrainingDataNotKept):
        service.export(ExportRequest("tickets_v1", include_training_data=True))
    alter(blob_of(service, "tickets_v1"))
    with pytest.raises(InvalidArtifact):
        service.export(ExportRequest("tickets_v1"))


def test_what_was_imported_can_be_exported_again_and_deleted_and_restored(
    service: Service, there: Service, opened: Open, tmp_path: Path
) -> None:
    fit(service)
    take_in(there, exported(service, include_training_data=True), ImportRequest("second"))
    there.delete(DeleteRequest("second"))
    assert there.restore(RestoreRequest("second")).origin is not None
    third = opened(tmp_path / "third")
    received = take_in(third, exported(there, "second", include_training_data=True), ImportRequest("third"))
    assert received.origin is not None
    assert received.origin.name == "second"
    assert third.reproduce(ModelRequest("third")).verdict == "identical weights"


def test_a_copy_answers_the_same_and_remembers_where_it_comes_from(service: Service) -> None:
    fit(service, description="Without the new intents", tags=("eu",))
    copied = service.copy(CopyRequest("tickets_v1", "mails_v1"))
    origin, copy = show(service, "tickets_v1"), show(service, "mails_v1")
    assert copy.origin is not None
    assert (copy.origin.name, copy.origin.revision) == ("tickets_v1", origin.revision)
    assert copied == recast(Copied, copy)
    assert replace(recast(Record, copy), name="tickets_v1", origin=None) == recast(Record, origin)
    assert ask(service, "mails_v1", "charged").scores == ask(service, "tickets_v1", "charged").scores


def test_a_copy_shares_its_blobs_with_its_origin_and_outlives_it(service: Service) -> None:
    fit(service)
    service.copy(CopyRequest("tickets_v1", "mails_v1"))
    folders = [service.dependencies.settings.local_dir / "classifiers" / name for name in ("tickets_v1", "mails_v1")]
    kept, copied = (sorted((folder / "blobs").iterdir()) for folder in folders)
    assert [file.name for file in copied] == [file.name for file in kept]
    assert len(copied) == 2
    assert all(one.samefile(other) for one, other in zip(kept, copied, strict=True))
    service.delete(DeleteRequest("tickets_v1", purge=True))
    assert ask(service, "mails_v1", "charged twice").label == "billing"
    assert service.fsck(FsckRequest()).findings == ()


def test_a_folder_with_a_copy_is_whole_by_itself(service: Service, there: Service) -> None:
    fit(service)
    service.copy(CopyRequest("tickets_v1", "mails_v1"))
    here, other = (each.dependencies.settings.local_dir / "classifiers" for each in (service, there))
    shutil.copytree(here / "mails_v1", other / "mails_v1")
    assert ask(there, "mails_v1", "charged twice").label == "billing"
    assert there.fsck(FsckRequest()).sound


def test_a_damaged_classifier_is_not_copied(service: Service) -> None:
    fit(service)
    alter(blob_of(service, "tickets_v1", ARTIFACT))
    with pytest.raises(InvalidArtifact):
        service.copy(CopyRequest("tickets_v1", "mails_v1"))
    with pytest.raises(ClassifierNotFound):
        show(service, "mails_v1")


def test_a_copy_can_be_exported_and_trained_again(service: Service, there: Service) -> None:
    fit(service)
    service.copy(CopyRequest("tickets_v1", "mails_v1"))
    assert take_in(there, exported(service, "mails_v1", include_training_data=True)).name == "mails_v1"
    assert service.reproduce(ModelRequest("mails_v1")).verdict == "identical weights"
