"""Fits of rows with any number of labels each: what is trained, kept, extended, erased, moved and trained again."""

import io
from dataclasses import replace

import pytest

from tests.service.examples import ROWS, Open, ask, fit, listed, show
from windrow.domain.archive import ExportRequest, ImportRequest
from windrow.domain.classifier import FitRequest, ModelRequest
from windrow.domain.dataset import DataLimits
from windrow.domain.erasure import ForgetRequest
from windrow.domain.errors import InvalidTrainingData, LimitExceeded, TrainingDataNotKept
from windrow.domain.integrity import FsckRequest
from windrow.domain.labelled_rows import LabelledRow, LabelledRows
from windrow.domain.multi_label import MultiLabelDataset, MultiLabelRow
from windrow.service.service import Service
from windrow.storage.artifact import ROWS as ROWS_BLOB

SEVERAL = tuple(
    MultiLabelRow(f"{text} {number}", labels)
    for text, labels in (
        ("charged twice invoice today", ("urgent", "billing")),
        ("invoice please", ("billing",)),
        ("crash error screen now", ("bug", "urgent")),
        ("nice talk thanks", ()),
    )
    for number in range(4)
)
REQUEST = FitRequest("mails_v1", SEVERAL, num_iterations=0)
SORTED = tuple(replace(row, labels=tuple(sorted(row.labels))) for row in SEVERAL)


@pytest.fixture
def trained(service: Service) -> Service:
    service.fit(REQUEST)
    return service


def kept(service: Service, name: str = "mails_v1") -> LabelledRows | None:
    entry = service.dependencies.store.find(name).entry
    rows = service.dependencies.store.training_rows(entry)
    return None if rows is None else tuple(rows)


def test_the_record_says_what_was_learned(trained: Service) -> None:
    record = show(trained, "mails_v1")
    assert (record.kind, record.source, record.num_examples) == ("multi_label", "examples", 16)
    assert record.rows_per_label == {"billing": 8, "bug": 4, "urgent": 8}
    assert list(record.label_thresholds) == ["billing", "bug", "urgent"]
    assert record.training_data_sha256 == MultiLabelDataset(SEVERAL).sha256
    assert [warning.code for warning in record.warnings if warning.code == "rows_without_labels"]
    assert [one.kind for one in listed(trained)] == ["multi_label"]


def test_a_name_whose_answers_change_their_form_is_warned_of(trained: Service) -> None:
    single = FitRequest("mails_v1", ROWS, num_iterations=0)
    for request, field in ((single, "(label)"), (REQUEST, "(labels)")):
        for made in (trained.estimate_fit(request), trained.fit(request)):
            [warning] = [each for each in made.warnings if each.code == "kind_changed"]
            assert warning.message.startswith("From this training on, mails_v1 gives")
            assert warning.message.index(field) == min(warning.message.index("(label"), warning.message.index(field))
    again = trained.fit(REQUEST)
    assert "kind_changed" not in [each.code for each in again.warnings]


def test_its_answers_are_sets_of_labels(trained: Service) -> None:
    answer = ask(trained, "mails_v1", SEVERAL[0].text)
    assert (answer.kind, answer.label) == ("multi_label", None)
    assert answer.labels is not None and set(answer.labels) == {"billing", "urgent"}


def test_the_rows_are_kept_with_their_labels_sorted(trained: Service) -> None:
    assert kept(trained) == SORTED


def test_rows_are_not_kept_where_that_is_switched_off(opened: Open) -> None:
    service = opened(keep_training_data=False)
    service.fit(REQUEST)
    assert kept(service) is None
    with pytest.raises(TrainingDataNotKept):
        service.fit(replace(REQUEST, training_data=SEVERAL[:1], extends="mails_v1"))


def test_the_order_of_labels_in_a_row_makes_no_other_training(trained: Service) -> None:
    trained.fit(replace(REQUEST, model_name="mails_v2", training_data=SORTED))
    first, second = show(trained, "mails_v1"), show(trained, "mails_v2")
    assert first.training_data_sha256 == second.training_data_sha256
    entries = [trained.dependencies.store.find(name).entry for name in ("mails_v1", "mails_v2")]
    assert entries[0].blobs == entries[1].blobs


def test_a_row_extends_the_kept_ones_of_its_form(trained: Service) -> None:
    correction = MultiLabelRow(SEVERAL[0].text, ("refund",))
    made = trained.fit(replace(REQUEST, model_name="mails_v2", training_data=(correction,), extends="mails_v1"))
    assert (made.extends, made.taken_over_rows, made.replaced_rows) == ("mails_v1@1", 15, 1)
    assert kept(trained, "mails_v2") == (*SORTED[1:], correction)


@pytest.mark.parametrize(("name", "rows"), [("mails_v1", ROWS[:1]), ("tickets_v1", SEVERAL[:1])])
def test_a_row_of_another_form_than_the_kept_ones_is_refused(
    trained: Service, name: str, rows: tuple[LabelledRow, ...]
) -> None:
    fit(trained)
    with pytest.raises(InvalidTrainingData, match=f"does not fit the kept rows of {name}@1"):
        trained.fit(replace(REQUEST, model_name="other", training_data=rows, extends=name))


def test_rows_of_both_forms_are_refused_and_named(service: Service) -> None:
    for call in (service.fit, service.start_fit, service.estimate_fit):
        with pytest.raises(InvalidTrainingData, match=r"^training_data\[16\]\.label ") as caught:
            call(replace(REQUEST, training_data=(*SEVERAL, ROWS[0])))
        assert caught.value.facts["row"] == 16


def test_the_limits_hold(opened: Open) -> None:
    service = opened(max_labels=2)
    assert service.dependencies.settings.limits == DataLimits(max_labels=2)
    with pytest.raises(LimitExceeded, match="training_data has 3 labels"):
        service.fit(REQUEST)


def test_an_estimate_says_the_kind_and_the_warnings_of_the_training(service: Service) -> None:
    estimate = service.estimate_fit(REQUEST)
    assert (estimate.kind, estimate.num_examples) == ("multi_label", 16)
    assert estimate.rows_per_label == {"billing": 8, "bug": 4, "urgent": 8}
    assert [warning.code for warning in estimate.warnings] == ["rows_without_labels"]


def test_a_training_can_be_done_again(trained: Service) -> None:
    assert trained.reproduce(ModelRequest("mails_v1")).verdict == "identical weights"


def test_it_can_be_exported_with_its_rows_and_imported(trained: Service) -> None:
    exported = b"".join(trained.export(ExportRequest("mails_v1", include_training_data=True)).chunks)
    trained.import_classifier(io.BytesIO(exported), ImportRequest("copied_v1"))
    record = show(trained, "copied_v1")
    assert (record.kind, record.rows_per_label) == ("multi_label", {"billing": 8, "bug": 4, "urgent": 8})
    assert kept(trained, "copied_v1") == SORTED


def test_texts_can_be_forgotten_among_its_rows(trained: Service) -> None:
    forgotten = SEVERAL[2].text
    erasure = trained.forget(ForgetRequest(texts=(forgotten,), action="remove_rows"))
    assert [each.rows for each in erasure.revisions] == [(2,)]
    assert kept(trained) == tuple(row for row in SORTED if row.text != forgotten)
    assert ROWS_BLOB in trained.dependencies.store.find("mails_v1").entry.blobs


def test_nothing_is_wrong_with_what_is_saved(trained: Service) -> None:
    assert trained.fsck(FsckRequest()).findings == ()
