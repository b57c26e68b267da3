"""What was measured and how the classifier was trained, as terms with what they are here."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from windrow.domain.classifier import Record
from windrow.domain.figures import counted, percent
from windrow.domain.multi_label_report import MultiLabelReport
from windrow.domain.report import Report
from windrow.domain.training_report import AdapterReport, Estimate
from windrow.html_report.elements import Html, element, given_text, joined
from windrow.html_report.tables import Column, between, table, warning_list

_ENDED_BY: Final = {
    "plan": "as planned",
    "step_budget": "by the limit of steps",
    "max_seconds": "by max_seconds",
}
Fact = tuple[str, str]


def moment(at: datetime) -> Html:
    """Return a time, UTC."""
    return element("time", f"{at:%Y-%m-%d %H:%M} UTC", datetime=at.isoformat())


def definitions(facts: Sequence[Fact]) -> Html:
    """Return terms with what they are."""
    return element("dl", *(part for term, value in facts for part in (element("dt", term), element("dd", value))))


def identity(report: Report | MultiLabelReport, record: Record) -> Html:
    """Return what was measured on what, so that nobody takes it for another measurement."""
    encoder = given_text(record.base_model)
    if record.base_model_revision:
        commit = element("span", f" at commit {record.base_model_revision}", class_="muted")
        encoder = joined((encoder, commit))
    facts: list[Fact] = [
        ("Classifier", element("bdi", report.model_name)),
        ("Revision", str(report.revision)),
        *([("Asked by the alias", element("bdi", report.alias))] if report.alias else []),
        ("Base model", encoder),
        ("Trained", moment(record.created_at)),
        ("Training rows", f"{record.num_examples:,} with {counted(len(record.labels), 'label')}"),
        ("Measured", moment(report.measured_at)),
        ("Test rows", f"{report.total:,}"),
        ("Score kept with the classifier", "yes" if report.saved else "no"),
        ("SHA-256 of the training rows", element("code", record.training_data_sha256)),
        ("SHA-256 of the test rows", element("code", report.test_data_sha256)),
        ("SHA-256 of the base model", element("code", record.base_model_digest)),
    ]
    return definitions(facts)


def training(record: Record) -> Iterator[Html]:
    """Yield what was compared and chosen in the training, why, and what it let expect."""
    estimate = record.report.estimate
    yield element("h3", "What the training let expect")
    yield element("p", _estimate(estimate, record.report.majority_accuracy))
    yield element("h3", "The encoder")
    yield from _adapter(record.adapter)
    yield element("h3", "The head and its scores")
    yield element("p", _head(record))
    yield element("h3", "Parameters")
    yield definitions(_parameters(record))
    if record.warnings:
        yield element("h3", "Warnings of the training")
        yield warning_list(record.warnings)
    yield element("h3", "Versions")
    yield definitions([(name, given_text(version)) for name, version in sorted(record.versions.items())])


def _estimate(estimate: Estimate | None, majority: float) -> str:
    always = f"Always giving the most frequent label would get {percent(majority)}."
    if estimate is None:
        return f"Nothing: no row could be held out, or that was not wanted. {always}"
    return (
        f"An accuracy of {percent(estimate.accuracy)} ({between(estimate.interval)} with 95 % confidence) on new rows "
        f"like the training rows: {estimate.correct:,} of {counted(estimate.total, 'row')} were classified correctly "
        f"by {counted(estimate.folds, 'training')} that did not see them. {always}"
    )


def _adapter(adapter: AdapterReport | None) -> Iterator[Html]:
    if adapter is None:
        yield element("p", "It is the base model as it is: 0 iterations were asked for.")
        return
    yield element("p", given_text(adapter.reason))
    if adapter.candidates:
        rows = (
            (percent(each.scale), percent(each.estimated_accuracy), "chosen" if each.scale == adapter.scale else "")
            for each in adapter.candidates
        )
        columns = (Column("Share of the adapter"), Column("Estimated accuracy", "n"), Column("", "label"))
        yield table("What was compared", columns, rows)
    if adapter.steps:
        losses = f", the loss from {adapter.first_loss:.3f} to {adapter.last_loss:.3f}" if _has_losses(adapter) else ""
        yield element(
            "p",
            f"{counted(adapter.steps, 'step')} of {adapter.planned_steps:,} planned, ended "
            f"{_ENDED_BY[adapter.ended_by]}{losses}; {counted(adapter.layers, 'layer')}, rank {adapter.rank}, "
            f"{counted(adapter.texts, 'text')}{', with the names of the labels' if adapter.used_label_names else ''}.",
            class_="muted",
        )


def _has_losses(adapter: AdapterReport) -> bool:
    return adapter.first_loss is not None and adapter.last_loss is not None


def _head(record: Record) -> str:
    head, scores = record.head, record.scores
    chosen = f"Logistic regression with C = {head.c:g}"
    if head.cv_accuracy is not None:
        chosen += f", which was best in a cross-validation of {head.cv_folds} folds ({percent(head.cv_accuracy)})"
    by = "decided by held-out rows" if scores.source == "out_of_fold" else "the usual value, as no row was held out"
    return f"{chosen}. Its scores are divided by a temperature of {scores.temperature:.3g}, {by}."


def _parameters(record: Record) -> list[Fact]:
    return [
        ("num_iterations", str(record.num_iterations)),
        ("batch_size", str(record.batch_size)),
        ("seed", str(record.seed)),
        ("max_seconds", "none" if record.max_seconds is None else f"{record.max_seconds:g}"),
        ("cross_validate", "true" if record.cross_validate else "false"),
        ("Rows taken over from an earlier revision", f"{record.taken_over_rows:,}"),
        ("Time", f"{record.training_time_seconds:.1f} s"),
    ]
