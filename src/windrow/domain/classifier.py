"""A classifier: the record of each training, what people noted about it, and what was measured.

Owns the values and the limits on notes; ``storage`` writes them down and ``wire`` shows them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from windrow.domain.dataset import DataReport, DataWarning, Row
from windrow.domain.errors import InvalidParameter
from windrow.domain.interval import Interval
from windrow.domain.recipe import DEFAULT_BASE_MODEL, BaseModel, Recipe

MAX_DESCRIPTION_CHARS = 2_000
MAX_TAGS = 20
MAX_TAG_CHARS = 64


@dataclass(frozen=True, slots=True)
class Notes:
    """What a person says about a classifier. Checked by :func:`check_notes`.

    Args:
        description: At most 2,000 characters.
        tags: At most 20, sorted and distinct, each of 1 to 64 characters.
    """

    description: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NotesChange:
    """What is to be said about a classifier from now on.

    Args:
        description: ``None`` leaves it as it is.
        tags: In any order; ``None`` leaves them as they are.
    """

    description: str | None = None
    tags: tuple[str, ...] | None = None

    def of(self, notes: Notes) -> Notes:
        """Return notes with this change.

        Raises:
            InvalidParameter: It breaks a rule (:func:`check_notes`).
        """
        return check_notes(
            Notes(
                notes.description if self.description is None else self.description,
                notes.tags if self.tags is None else self.tags,
            )
        )


@dataclass(frozen=True, slots=True)
class FitRequest:
    """What a caller asks to be trained.

    Args:
        model_name: The classifier's name; an existing name gets a new revision.
        rows: Labelled examples, at least 2 labels.
        base_model: Id of the encoder to build on.
        recipe: The training parameters.
        notes: Description and tags; what is left out stays as it is for an existing name.
        overwrite: Whether an existing name may get a new revision.
    """

    model_name: str
    rows: tuple[Row, ...]
    base_model: str = DEFAULT_BASE_MODEL
    recipe: Recipe = Recipe()
    notes: NotesChange = NotesChange()
    overwrite: bool = True


@dataclass(frozen=True, slots=True)
class HeadReport:
    """How the head was chosen.

    Args:
        strength: Inverse regularisation (scikit-learn's ``C``) that won the cross-validation.
        cv_accuracy: Its cross-validated accuracy in [0, 1]; ``None`` where no class has two rows.
        cv_folds: Folds of that cross-validation; 0 where there was none.
    """

    strength: float
    cv_accuracy: float | None
    cv_folds: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way of using an adapter that was weighed, and the estimate that spoke for or against it.

    Args:
        strength: Share of the adapter's change, from 0 (the encoder as it is) to 1.
        estimated_accuracy: in [0, 1], on rows that taught it nothing; ``None`` where there is none.
    """

    strength: float
    estimated_accuracy: float | None


@dataclass(frozen=True, slots=True)
class AdapterReport:
    """How an adapter was trained, and how much of it is used (docs/training.md).

    Args:
        strength: Share of its change that is used, from 0 (none; then nothing of it is saved) to 1.
        reason: Why that share, in one sentence.
        candidates: What was weighed.
        layers: Trained layers, counted from the last one.
        rank: Of each map's change.
        passes: How often the texts meet, as ``num_iterations`` asks.
        planned_steps: Steps that this takes.
        steps: Steps that were done.
        ended_by: What ended it: ``plan``, ``step_budget`` or ``max_seconds``.
        texts: Distinct rows that took part.
        used_label_names: Whether the labels' names took part as texts.
        first_loss: Loss of the first step; ``None`` where no step was done.
        last_loss: Loss of the last step.
    """

    strength: float
    reason: str
    candidates: tuple[Candidate, ...]
    layers: int = 0
    rank: int = 0
    passes: int = 0
    planned_steps: int = 0
    steps: int = 0
    ended_by: str = "plan"
    texts: int = 0
    used_label_names: bool = False
    first_loss: float | None = None
    last_loss: float | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """What cross-validation says about a training: each row judged by a training like it that did not see the row.

    Args:
        correct: Rows that were placed right.
        total: Rows that were judged, at least 1.
        folds: Trainings that judged them.
        interval: Of the accuracy, 95 %: Wilson's, widened (docs/adr/0016).
    """

    correct: int
    total: int
    folds: int
    interval: Interval

    @property
    def accuracy(self) -> float:
        """Share of the rows that were placed right."""
        return self.correct / self.total


@dataclass(frozen=True, slots=True)
class ScoreReport:
    """How scores came to mean what they say.

    Args:
        temperature: What the head's logits were divided by, more than 0; above 1 makes scores humbler.
        source: ``out_of_fold`` where rows that taught nothing decided it, ``prior`` where there were none.
        likeness: How like the training data held-out rows were: mean cosine to the nearest label's centre, in [-1, 1];
            ``None`` where no row could be held out, so that nothing can be said of what is in scope.
        likeness_deviation: Its standard deviation; ``None`` likewise.
    """

    temperature: float
    source: Literal["out_of_fold", "prior"]
    likeness: float | None
    likeness_deviation: float | None


@dataclass(frozen=True, slots=True)
class TrainingSummary:
    """What a training reports beside the tensors.

    Args:
        head: How the head was chosen.
        adapter: How the adapter was trained; ``None`` where none was asked for.
        estimate: What cross-validation says; ``None`` where no row could be held out, or time did not allow it.
        scores: How scores came to mean what they say.
        versions: What decides roundings, by name: versions of libraries and of Python, the platform, the processor.
    """

    head: HeadReport
    adapter: AdapterReport | None
    estimate: Estimate | None
    scores: ScoreReport
    versions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Record:
    """Everything that is remembered about one revision of a classifier.

    Args:
        name: The classifier's name.
        revision: The number of the training in the name's log, from 1; other changes are numbered too, so it may skip.
        labels: Sorted by code point; the order of the head's rows.
        rows_per_label: In the order of ``labels``.
        base_model: The pinned encoder.
        recipe: The training parameters.
        data_sha256: Digest of the training rows (docs/format.md).
        created_at: When the training ended, UTC, whole seconds.
        training_time_s: Wall seconds of the training, without the time that it waited for its turn.
        summary: What the training process reported.
        data: What was counted in the data.
        warnings: What was odd about the data.
    """

    name: str
    revision: int
    labels: tuple[str, ...]
    rows_per_label: Mapping[str, int]
    base_model: BaseModel
    recipe: Recipe
    data_sha256: str
    created_at: datetime
    training_time_s: float
    summary: TrainingSummary
    data: DataReport
    warnings: tuple[DataWarning, ...]

    @property
    def num_examples(self) -> int:
        """The number of training rows."""
        return sum(self.rows_per_label.values())


@dataclass(frozen=True, slots=True)
class TestScore:
    """How a classifier did on rows that it had not seen.

    Args:
        correct: Rows that it placed right.
        total: Rows in all, at least 1.
        data_sha256: Digest of the rows, made like that of training rows.
        measured_at: UTC, whole seconds.
        macro_f1: Mean F1 of the labels that rows have or were given, in [0, 1].
        ece: Expected calibration error in [0, 1].
        correct_per_label: Rows of each label that it placed right; labels without rows are left out.
        rows_per_label: Rows of each label, likewise.
    """

    correct: int
    total: int
    data_sha256: str
    measured_at: datetime
    macro_f1: float
    ece: float
    correct_per_label: Mapping[str, int]
    rows_per_label: Mapping[str, int]

    @property
    def accuracy(self) -> float:
        """Share of rows that were placed right."""
        return self.correct / self.total


@dataclass(frozen=True, slots=True)
class Threshold:
    """The score below which a classifier gives no label, and what it was chosen by.

    Args:
        abstain_below: The best score in [0, 1] below which no label is given: halfway between the lowest test row that
            is answered and the next one; 0 where all are.
        target_precision: Share of right answers that was asked for, in [0.5, 1].
        correct: Test rows that are answered, and rightly.
        answered: Test rows whose best score reaches it, at least 1.
        total: Test rows in all.
        data_sha256: Digest of the test rows, made like that of training rows.
        measured_at: UTC, whole seconds.
    """

    abstain_below: float
    target_precision: float
    correct: int
    answered: int
    total: int
    data_sha256: str
    measured_at: datetime


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an imported classifier was trained.

    Args:
        name: Its name there.
        revision: Its revision there.
        imported_at: UTC, whole seconds.
    """

    name: str
    revision: int
    imported_at: datetime


@dataclass(frozen=True, slots=True)
class Classifier:
    """A revision of a classifier, with everything that is known about it.

    Args:
        record: What is remembered about its training.
        notes: What a person says about it.
        test: The last measurement; ``None`` before the first.
        threshold: Below which score it gives no label; ``None`` where it always gives one.
        origin: Where an imported one comes from; ``None`` for one that was trained here.
        size_bytes: Of its files, also of those that it shares with other revisions of its name.
        keeps_rows: Whether its training rows are kept.
        deleted_at: When it was deleted, UTC; ``None`` for one that answers.
    """

    record: Record
    notes: Notes
    test: TestScore | None
    threshold: Threshold | None
    origin: Origin | None
    size_bytes: int
    keeps_rows: bool
    deleted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ClassifierDetails:
    """A classifier, and what there is beside the revision that is shown.

    Args:
        classifier: The revision that is shown.
        answers: Whether this revision is the one that the bare name means.
        revisions: Every revision that ``name@revision`` reaches, ascending.
        aliases: The aliases that point to the name or to this revision, sorted.
    """

    classifier: Classifier
    answers: bool
    revisions: tuple[int, ...]
    aliases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FitResult:
    """A training that is saved.

    Args:
        classifier: The new revision.
        next_name: A free name for the task's next version; ``None`` where it would be too long.
    """

    classifier: Classifier
    next_name: str | None


@dataclass(frozen=True, slots=True)
class Deletion:
    """What a deletion did, or would do.

    Args:
        model_names: The classifiers or revisions, sorted.
        freed_bytes: What it freed on the disk; 0 where they can be restored.
        is_purged: Whether they are gone for good.
        skipped: Names that were left as they are: others changed them meanwhile, or the disk failed before them.
        aliases: Aliases that point to them, and answer no more if they are deleted by force; sorted.
    """

    model_names: tuple[str, ...]
    freed_bytes: int = 0
    is_purged: bool = False
    skipped: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()


def check_notes(notes: Notes) -> Notes:
    """Return notes with their tags sorted and distinct.

    Raises:
        InvalidParameter: The description or a tag is too long, blank or no valid Unicode, or there are too many tags.
    """
    if len(notes.description) > MAX_DESCRIPTION_CHARS:
        raise _bad_note(
            "description", f"has {len(notes.description)} characters; at most {MAX_DESCRIPTION_CHARS} are possible"
        )
    tags = tuple(sorted(set(notes.tags)))
    if len(tags) > MAX_TAGS:
        raise _bad_note("tags", f"are {len(tags)}; at most {MAX_TAGS} are possible")
    for number, tag in enumerate(notes.tags):
        if not 0 < len(tag) <= MAX_TAG_CHARS or tag != tag.strip() or not tag.isprintable():
            rule = f"must have 1 to {MAX_TAG_CHARS} visible characters, without white space around them"
            raise _bad_note(f"tags[{number}]", rule)
    try:
        notes.description.encode()
    except UnicodeEncodeError as error:
        raise _bad_note("description", "must be valid Unicode") from error
    return Notes(notes.description, tags)


def _bad_note(field: str, problem: str) -> InvalidParameter:
    parameter = field.partition("[")[0]
    return InvalidParameter(f"{field} {problem}. Correct it or leave it out.", {"parameter": parameter})
