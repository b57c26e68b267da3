"""A classifier: the training request, the record of each training, its notes and its measured accuracy."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Literal

from windrow.domain.dataset import DataWarning
from windrow.domain.errors import InvalidParameter
from windrow.domain.interval import Interval, wilson_interval
from windrow.domain.label_descriptions import LabelDescriptions
from windrow.domain.labelled_rows import LabelledRows
from windrow.domain.names import ImmutableReference, ModelReference, Name
from windrow.domain.prediction import Kind
from windrow.domain.recipe import BaseModel, Recipe
from windrow.domain.threshold import DEFAULT_LABEL_THRESHOLD, Threshold, ThresholdChange
from windrow.domain.training_report import AdapterReport, FitReport, HeadReport, ScoreReport
from windrow.domain.values import Schema, Value, computed

MAX_DESCRIPTION_CHARS = 2_000
MAX_TAGS = 20
MAX_TAG_CHARS = 64
Description = Annotated[str, Schema(maxLength=MAX_DESCRIPTION_CHARS)]
Tag = Annotated[str, Schema(minLength=1, maxLength=MAX_TAG_CHARS, pattern=r"^\S+( +\S+)*$")]
Tags = Annotated[tuple[Tag, ...], Schema(maxItems=MAX_TAGS)]
# What a classifier was made from: labelled rows, or the names and descriptions of its labels alone.
Source = Literal["examples", "zero_shot"]
# How few rows are enough depends on what they extend.
FitData = LabelledRows


@dataclass(frozen=True, slots=True)
class FitRequest(Recipe):
    """A training to do."""

    model_name: Name
    """The classifier's name; an existing name gets a new revision."""
    training_data: FitData
    """Labelled examples: rows with one ``label`` each, at least 2 labels in all; or rows with any number of ``labels``
    each, for a multi-label classifier. About 8 rows a label work well. With ``extends``, what it adds and corrects,
    which may be nothing at all.
    """
    description: Description | None = None
    """What to say about it, at most 2,000 characters; left out, an existing name keeps its own."""
    tags: Tags | None = None
    """At most 20, each of 1 to 64 characters; left out, an existing name keeps its own."""
    overwrite: bool = True
    """Whether an existing name gets a new revision; otherwise it is refused."""
    extends: ModelReference | None = None
    """A classifier whose kept training rows come before those of ``training_data``: its name, an alias, a revision
    (name@3) or task@latest. A given row replaces all kept rows of the same text. ``None`` trains on the given rows
    alone.
    """
    label_descriptions: LabelDescriptions | None = None
    """What labels mean, by label: a sentence of at most 2,000 characters each, or an empty one where the name says it
    all. They count most where there are few rows; without any rows, at least 2 labels make a classifier that knows
    their names and descriptions alone (zero-shot). With ``extends``, those of that revision hold for labels that are
    not described here.
    """
    multi_label: bool = False
    """Without any rows, whether the classifier gives any number of labels; else it gives one. Where there are rows,
    their form says it. With ``extends``, a classifier without rows stays of its kind.
    """
    merge_labels: bool = False
    """Whether labels of rows that look alike, since they differ only in case, in white space, in what cannot be seen,
    or as 1 and 1.0, count as one, in the spelling that most rows have; a warning (``labels_merged``) says which.
    Otherwise they are different labels, and a warning (``labels_alike``) names them.
    """


@dataclass(frozen=True, slots=True)
class DescribeRequest:
    """What is to be said about a classifier from now on; what is left out stays as it is."""

    model_name: Name
    """The classifier's name."""
    description: Description | None = None
    """At most 2,000 characters."""
    tags: Tags | None = None
    """All its tags from now on: at most 20, each of 1 to 64 characters, in any order."""


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """A classifier."""

    model_name: ModelReference
    """The classifier: its name, an alias, a revision (name@3) or task@latest, its highest version."""


@dataclass(frozen=True, slots=True)
class RestoreRequest:
    """What is to answer again."""

    model_name: ImmutableReference
    """The classifier's name, or one of its revisions (name@3)."""


@dataclass(frozen=True, slots=True)
class CopyRequest:
    """A classifier that is to stand under a second name, too."""

    model_name: ModelReference
    """The classifier: its name, an alias, a revision (name@3) or task@latest, its highest version."""
    new_name: Name
    """The name of the copy."""
    overwrite: bool = field(default=False, kw_only=True)
    """Whether the copy may become the next revision of an existing name."""


@dataclass(frozen=True, slots=True)
class DeleteRequest:
    """A classifier to delete."""

    model_name: ImmutableReference
    """The classifier's name, or with ``purge`` one older revision (name@3)."""
    purge: bool = field(default=False, kw_only=True)
    """Whether the files are removed for good; otherwise restore brings them back for a while."""
    force: bool = field(default=False, kw_only=True)
    """Whether also what an alias points to is deleted; the alias answers no more then."""


@dataclass(frozen=True, slots=True)
class TestScore(Value):
    """How a classifier did on rows that it had not seen."""

    __test__ = False  # for pytest, which collects classes of such a name

    correct: int
    """Rows that it classified correctly."""
    total: int
    """Rows in all, at least 1."""
    test_data_sha256: str
    """SHA-256 of the rows, made like that of training rows."""
    measured_at: datetime
    """When it was measured, UTC."""
    macro_f1: float
    """Mean F1 of the labels that rows have or were given, from 0 to 1."""
    ece: float
    """Expected calibration error, from 0 to 1."""
    correct_per_label: Mapping[str, int]
    """Rows of each label that it classified correctly; labels without rows are left out."""
    rows_per_label: Mapping[str, int]
    """Rows of each label, likewise."""
    micro_f1: float | None = None
    """F1 over all decisions about all labels, from 0 to 1; ``None`` for a single-label classifier."""
    accuracy: float = computed(lambda self: self.correct / max(1, self.total), 0.0)
    """Share of the rows that it classified correctly."""


@dataclass(frozen=True, slots=True)
class Origin(Value):
    """Where an imported or copied classifier was trained."""

    name: str
    """Its name there."""
    revision: int
    """Its revision there."""
    imported_at: datetime
    """When it was imported or copied, UTC."""


# The classes of which two are joined below have no slots, so that Python can lay out their heirs; what a reader looks
# for first stands in the first one.
@dataclass(frozen=True, kw_only=True)
class _Fitted:
    model_name: str
    """The classifier's name."""
    status: Literal["trained"] = "trained"
    """It is on disk and answers."""


@dataclass(frozen=True, kw_only=True)
class _Named:
    name: str
    """The classifier's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained(Value):
    """The result of a training, as the reply to its request."""

    kind: Kind = "single_label"
    """``single_label`` where it gives one label, ``multi_label`` where it gives any number of them."""
    source: Source = "examples"
    """``examples`` where it learned from rows, ``zero_shot`` where it knows names and descriptions of labels alone."""
    base_model: str
    """Id of the base model, the encoder that it builds on."""
    labels: tuple[str, ...]
    """The labels, sorted by code point: the order of the head's rows."""
    rows_per_label: Mapping[str, int]
    """Training rows of each label, in the order of ``labels``."""
    label_descriptions: Mapping[str, str] = field(default_factory=dict)
    """What the request says about its labels, by label; labels that it did not describe are left out."""
    label_thresholds: Mapping[str, float] = field(default_factory=dict)
    """Of a multi-label classifier, the score of each label from which it is given, as the training chose it; otherwise
    empty.
    """
    num_examples: int
    """Number of training rows."""
    extends: str | None = None
    """The revision whose kept training rows it took over (``tickets_v2@3``); ``None`` for none, and where the API key
    does not know that name.
    """
    taken_over_rows: int = 0
    """Kept rows of that revision among the training rows; they come first."""
    replaced_rows: int = 0
    """Kept rows of that revision that rows of the request have replaced, since they have the same text."""
    training_time_seconds: float
    """Wall time of the training, in seconds, without the time that it waited for its turn."""
    revision: int
    """The number of the training in the name's log, from 1; other changes are numbered too, so it may skip."""
    created_at: datetime
    """When the training ended, UTC."""
    description: str = ""
    """What a person says about the classifier, at most 2,000 characters."""
    tags: tuple[str, ...] = ()
    """At most 20, sorted and distinct, each of 1 to 64 characters."""
    report: FitReport
    """What was counted in the rows, and how the classifier should do on new ones."""
    adapter: AdapterReport | None
    """How the encoder was changed for this classifier; ``None`` with 0 iterations."""
    warnings: tuple[DataWarning, ...]
    """What was odd about the training or its rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FitResult(Trained, _Fitted):
    """A training that is saved, and answers."""

    _summary = "model_name revision num_examples labels warnings training_time_seconds next_name"

    next_name: str | None
    """A free name for the task's next version; ``None`` where it would be too long, or where the API key may not give
    it.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Record(Recipe, Trained, _Named):
    """Everything that is remembered about one revision of a classifier: its training, notes and measurements."""

    _summary = "name revision num_examples labels tags description"
    _named_by = "name"

    base_model_digest: str
    """SHA-256 over everything in the base model's folder that decides its output."""
    base_model_revision: str | None = None
    """The hub's commit of the base model; ``None`` where it came from no hub."""
    training_data_sha256: str
    """SHA-256 of the training rows; docs/explanation/format.md says how to compute it."""
    head: HeadReport
    """How the head was chosen."""
    scores: ScoreReport
    """How the scores were calibrated."""
    versions: Mapping[str, str]
    """What decides roundings, by name: versions of libraries and of Python, the platform, the processor."""
    test: TestScore | None = None
    """The last measurement on test rows; ``None`` before the first."""
    threshold_changes: tuple[ThresholdChange, ...] = ()
    """Each change of its threshold, the first one first; of more than 100, the last 100."""
    threshold: Threshold | None = computed(  # noqa: RUF009 - a field, as everywhere
        lambda self: self.threshold_changes[-1].after if self.threshold_changes else None, None
    )
    """The score below which it gives no label; ``None`` where it always gives one."""
    origin: Origin | None = None
    """Where an imported or copied classifier was trained; ``None`` for one that was trained here by its own name, and
    where the API key does not know that name.
    """
    key_name: str | None = None
    """The API key that trained, imported or copied it; ``None`` where none was needed."""

    @property
    def learned_from_rows(self) -> bool:
        """Whether it learned from rows, which may be kept; not where names and descriptions of labels made it."""
        return self.source != "zero_shot"

    @property
    def thresholds_by_label(self) -> dict[str, float]:
        """The score from which each label is given, in the order of the labels; empty for a single-label classifier."""
        if self.kind == "single_label":
            return {}
        own = {} if self.threshold is None else self.threshold.label_thresholds
        return {
            label: own.get(label, self.label_thresholds.get(label, DEFAULT_LABEL_THRESHOLD)) for label in self.labels
        }

    @property
    def pinned(self) -> BaseModel:
        """The base model that it was trained on."""
        return BaseModel(self.base_model, self.base_model_digest, self.base_model_revision)


@dataclass(frozen=True, slots=True, kw_only=True)
class Classifier(Record):
    """A revision of a classifier, with everything that is known about it."""

    _summary = "name revision num_examples labels test_accuracy tags description deleted_at"

    size_bytes: int
    """Bytes of its files on the disk, also of those that it shares with other revisions of its name."""
    keeps_training_data: bool
    """Whether its training rows are kept; not where it learned from none (``source``)."""
    training_data_erased: bool = False
    """Whether some of its kept training rows were erased, as ``forget`` does it; the others are kept."""
    deleted_at: datetime | None = None
    """When it was deleted, UTC; ``None`` for one that answers."""
    last_used_at: datetime | None = None
    """When its name last gave a prediction, UTC, as known two minutes ago; ``None`` for not in the last 90 days."""
    recent_predictions: int = 0
    """Texts that its name classified for predictions in the last 30 days, on all servers, as known two minutes ago."""
    test_accuracy: float | None = computed(lambda self: None if self.test is None else self.test.accuracy, None)
    """Share of the test rows that it classified correctly, from 0 to 1; ``None`` until it was measured."""
    test_interval: Interval | None = computed(lambda self: _interval_of(self.test), None)  # noqa: RUF009 - likewise
    """Where its accuracy on all rows like the test rows lies: Wilson's, of 95 %; ``None`` likewise."""
    estimated_accuracy: float | None = computed(
        lambda self: None if self.report.estimate is None else self.report.estimate.accuracy, None
    )
    """Its accuracy on new rows as its training estimated it by cross-validation, from 0 to 1; ``None`` where it did
    not.
    """
    estimated_interval: Interval | None = computed(  # noqa: RUF009 - likewise
        lambda self: None if self.report.estimate is None else self.report.estimate.interval, None
    )
    """Where that accuracy should lie, with 95 % confidence; ``None`` likewise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassifierDetails(Classifier):
    """Everything that is known about a classifier: what a person must note to train it again, and more."""

    answers: bool
    """Whether this revision is the one that the bare name means."""
    revisions: tuple[int, ...]
    """Every revision that ``name@revision`` reaches, ascending."""
    aliases: tuple[str, ...]
    """The aliases that point to the name or to this revision, sorted, of those that the API key knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored(Classifier):
    """A classifier, or a revision of it, that answers again."""

    status: Literal["restored"] = "restored"
    """It answers again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied(Classifier):
    """A copy that answers under its own name."""

    status: Literal["copied"] = "copied"
    """It is on disk and answers."""


@dataclass(frozen=True, slots=True)
class Deletion(Value):
    """A classifier or a revision that is gone."""

    model_name: str
    """The classifier, or the revision (name@3)."""
    purged: bool = False
    """Whether its files were removed for good."""
    freed_bytes: int = 0
    """The size of what was removed; 0 where it can be restored. A file that a copy shares takes its room until the last
    of its names is purged.
    """
    status: Literal["deleted"] = "deleted"
    """It answers no more."""


@dataclass(frozen=True, slots=True)
class BulkDeletion(Value):
    """A selection of classifiers that is gone, or would be."""

    status: Literal["deleted", "dry_run"]
    """``deleted``, or ``dry_run`` where nothing was done."""
    model_names: tuple[str, ...]
    """The classifiers, sorted."""
    purged: bool = False
    """Whether their files were removed for good."""
    freed_bytes: int = 0
    """The size of what was removed, as for one; 0 where they can be restored."""
    skipped: tuple[str, ...] = ()
    """Names that were left as they are: others changed them meanwhile, or the disk failed before them."""
    aliases: tuple[str, ...] = ()
    """Aliases that point to them, sorted: without force they are in the way, with force they answer no more."""


def _interval_of(test: TestScore | None) -> Interval | None:
    return None if test is None else wilson_interval(test.correct, max(1, test.total))


def check_notes(description: str, tags: tuple[str, ...]) -> tuple[str, ...]:
    """Return tags sorted and distinct.

    Raises:
        InvalidParameter: The description or a tag is too long, blank or no valid Unicode, or there are too many tags.
    """
    if len(description) > MAX_DESCRIPTION_CHARS:
        raise InvalidParameter(
            "{arg:description} has {chars} characters; at most {limit} are possible. Correct it or leave it out.",
            {"parameter": "description", "chars": len(description), "limit": MAX_DESCRIPTION_CHARS},
        )
    checked = tuple(sorted(set(tags)))
    if len(checked) > MAX_TAGS:
        raise InvalidParameter(
            "{arg:tags} are {count}; at most {limit} are possible. Correct them or leave them out.",
            {"parameter": "tags", "count": len(checked), "limit": MAX_TAGS},
        )
    for index, tag in enumerate(tags):
        if not 0 < len(tag) <= MAX_TAG_CHARS or tag != tag.strip() or not tag.isprintable():
            raise InvalidParameter(
                "{arg:tags}[{index}] must have 1 to {limit} visible characters, without white space around them. "
                "Correct it or leave it out.",
                {"parameter": "tags", "index": index, "limit": MAX_TAG_CHARS},
            )
    try:
        description.encode()
    except UnicodeEncodeError as error:
        raise InvalidParameter(
            "{arg:description} must be valid Unicode. Correct it or leave it out.", {"parameter": "description"}
        ) from error
    return checked
