"""Examples for the documentation: one good request and reply for each endpoint, which can be executed in this order.

Replies are values of their classes. What matters is written here, by the name of the field; the rest follows from the
types.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from typing import Any, Final

from windrow.codec.types import Type, types_of
from windrow.domain.classification import Classification, ClassifyRequest
from windrow.domain.classifier import Origin
from windrow.domain.prediction import PredictRequest
from windrow.domain.recipe import DEFAULT_BASE_MODEL

EXAMPLE_NAME: Final = "ticket_classifier_v1"
EXAMPLE_ALIAS: Final = "ticket_classifier"
EXAMPLE_JOB: Final = "20250915-103000-5f2b9c0d"
EXAMPLE_TEXT: Final = "My card was billed two times"
EXAMPLE_ROWS: Final = (
    {"text": "I was charged twice this month", "label": "billing"},
    {"text": "Please refund my last invoice", "label": "billing"},
    {"text": "The app crashes when I log in", "label": "technical"},
    {"text": "I get error 500 on the upload page", "label": "technical"},
    {"text": "How do I change my email address", "label": "account"},
    {"text": "Please delete my profile", "label": "account"},
)
EXAMPLE_MULTI_LABEL_ROWS: Final = (
    {"text": "I was charged twice, please fix it today", "labels": ("billing", "urgent")},
    {"text": "Please send me my last invoice", "labels": ("billing",)},
    {"text": "The app crashes and I need it now", "labels": ("technical", "urgent")},
    {"text": "I get error 500 on the upload page", "labels": ("technical",)},
    {"text": "Thank you, that was quick", "labels": ()},
    {"text": "Where can I read about your company", "labels": ()},
)
_RIVAL: Final = "ticket_classifier_v2"
_SCORES: Final = {"account": 0.08, "billing": 0.87, "technical": 0.05}
_DIGEST: Final = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_TIME: Final = datetime(2025, 9, 15, 10, 30, tzinfo=UTC)
_PER_LABEL: Final = {"account": 2, "billing": 2, "technical": 2}

# By name of a field in a path, and by verb and name of a parameter in a query.
IN_PATH: Final[Mapping[str, str]] = {
    "model_name": EXAMPLE_NAME,
    "alias": EXAMPLE_ALIAS,
    "job_id": EXAMPLE_JOB,
    "base_model": "BAAI/bge-small-en-v1.5",
    "name": "shop",
}
IN_QUERY: Final[Mapping[tuple[str, str], object]] = {
    ("delete_all", "prefix"): "cv_fold_",
    ("delete_all", "dry_run"): True,
    ("inspect", "filename"): "tickets.csv",
    ("inspect", "text_column"): ["subject", "body"],
}
# By verb: each example under what it shows.
REQUESTS: Final[Mapping[str, Mapping[str, Mapping[str, object]]]] = {
    "fit": {
        "six rows": {"model_name": EXAMPLE_NAME, "training_data": EXAMPLE_ROWS},
        "a correction": {"model_name": _RIVAL, "extends": EXAMPLE_NAME, "training_data": EXAMPLE_ROWS[:1]},
        "described labels without rows": {
            "model_name": "tickets_v0",
            "training_data": [],
            "label_descriptions": {"billing": "Money: invoices, refunds", "technical": "Something is broken"},
        },
        "several labels": {"model_name": "mail_topics_v1", "training_data": EXAMPLE_MULTI_LABEL_ROWS},
    },
    "start_predict_files": {
        "the CSV files of a folder": {
            "model_name": EXAMPLE_NAME,
            "input": "/srv/mails/*.csv",
            "output": "/srv/labelled",
            "text_column": ["subject", "body"],
        },
    },
    "predict": {
        "one text": {"model_name": EXAMPLE_NAME, "text": EXAMPLE_TEXT},
        "many texts": {"model_name": EXAMPLE_NAME, "texts": [EXAMPLE_TEXT, "My invoice is wrong"]},
        "many classifiers": {"model_names": [EXAMPLE_NAME], "text": EXAMPLE_TEXT, "top_k": 1},
    },
    "classify": {
        "one label": {"text": EXAMPLE_TEXT, "labels": ["account", "billing", "technical"]},
        "many texts": {"texts": [EXAMPLE_TEXT, "My invoice is wrong"], "labels": ["account", "billing", "technical"]},
        "several labels, described": {
            "text": EXAMPLE_TEXT,
            "labels": ["billing", "urgent"],
            "multi_label": True,
            "label_descriptions": {"urgent": "The customer cannot work until it is solved"},
        },
    },
    "evaluate": {"six rows": {"model_name": EXAMPLE_NAME, "test_data": EXAMPLE_ROWS}},
    "report": {
        "six rows": {"model_name": EXAMPLE_NAME, "test_data": EXAMPLE_ROWS, "title": "Tickets of May", "save": False}
    },
    "compare": {"two versions": {"model_names": [EXAMPLE_NAME, _RIVAL], "test_data": EXAMPLE_ROWS}},
    "cross_validate": {
        "six rows": {"training_data": EXAMPLE_ROWS, "folds": 2},
        "a label described": {
            "training_data": EXAMPLE_ROWS,
            "folds": 2,
            "label_descriptions": {"billing": "Money: invoices, refunds"},
        },
    },
    "suggest": {
        "a small pool": {"model_name": EXAMPLE_NAME, "texts": [EXAMPLE_TEXT, "Do you have a phone number?"], "n": 1}
    },
    "describe": {"notes": {"description": "Tickets of the web shop.", "tags": ["shop", "tickets"]}},
    "set_threshold": {
        "sure answers only": {"abstain_below": 0.6, "reason": "95 % right on the May tickets.", "author": "ana"},
        "cleared": {"abstain_below": None, "reason": "People sort them all anyway."},
    },
    "copy": {"a second name": {"new_name": "mail_classifier_v1"}},
    "promote": {
        "on conditions": {
            "model_name": EXAMPLE_NAME,
            "reason": "4 points better on the May tickets.",
            "author": "ana",
            "require": {"test_data": EXAMPLE_ROWS, "not_worse": True},
        }
    },
    "rollback": {"why": {"reason": "It took refunds for bills.", "author": "ana"}},
    "bind": {
        "a question for a label": {"question": "team", "model_name": EXAMPLE_NAME},
        "a question whether something is true": {
            "question": "is it about money?",
            "model_name": EXAMPLE_NAME,
            "positive_label": "billing",
        },
        "no more": {"question": "team"},
    },
    "fsck": {"look only": {"repair": False}},
    "forget": {"look only": {"texts": [EXAMPLE_TEXT]}},
    "create_key": {
        "a shop's server": {"name": "shop", "scopes": ["predict"], "only": ["ticket*"]},
        "for a quarter": {"name": "nightly-training", "scopes": ["read", "train"], "expires_in_days": 90},
    },
    "limit_key": {
        "a shop's server": {"requests_per_second": 5, "texts_per_day": 100_000},
        "as the settings say": {},
    },
    "cancel_job": {"nothing to say": {}},
    "restore": {"nothing to say": {}},
    "reproduce": {"nothing to say": {}},
}
PREDICT_REQUESTS: Final = (
    PredictRequest(model_name=EXAMPLE_NAME, text=EXAMPLE_TEXT),
    PredictRequest(model_name=EXAMPLE_NAME, texts=(EXAMPLE_TEXT, "My invoice is wrong")),
    PredictRequest(model_names=(EXAMPLE_NAME,), text=EXAMPLE_TEXT),
)
_CHOICE: Final = Classification(
    label="billing", labels=None, scores=_SCORES, truncated=False, model=DEFAULT_BASE_MODEL, multi_label=False
)
_LABELS: Final = tuple(_SCORES)
# Requests without a classifier, and their answers.
CLASSIFY_EXAMPLES: Final = (
    (ClassifyRequest(text=EXAMPLE_TEXT, labels=_LABELS), (_CHOICE,)),
    (ClassifyRequest(texts=(EXAMPLE_TEXT, "My invoice is wrong"), labels=_LABELS), (_CHOICE, _CHOICE)),
    (
        ClassifyRequest(text=EXAMPLE_TEXT, labels=("billing", "urgent"), multi_label=True),
        (
            Classification(
                label=None,
                labels=("billing",),
                scores={"billing": 0.91, "urgent": 0.24},
                truncated=False,
                model=DEFAULT_BASE_MODEL,
                multi_label=True,
            ),
        ),
    ),
)
# By name of a field in replies, or of a class and its field; ``...`` is what follows from the type.
_VALUES: Final[Mapping[str, object]] = {
    "model_name": EXAMPLE_NAME,
    "name": EXAMPLE_NAME,
    "model_names": ("cv_fold_1", "cv_fold_2"),
    "next_name": _RIVAL,
    "points_to": EXAMPLE_NAME,
    "alias": EXAMPLE_ALIAS,
    "author": "ana",
    "reason": "4 points better on the May tickets.",
    "base_model": DEFAULT_BASE_MODEL,
    "model": DEFAULT_BASE_MODEL,
    "LabelChoice.labels": None,
    "labels": tuple(_PER_LABEL),
    "label": "billing",
    "runner_up": "account",
    "predicted": "account",
    "text": EXAMPLE_TEXT,
    "scores": _SCORES,
    "score": 0.87,
    "in_scope": 0.62,
    "rows_per_label": _PER_LABEL,
    "correct_per_label": _PER_LABEL,
    "num_examples": 6,
    "taken_over_rows": 0,
    "replaced_rows": 0,
    "correct": 6,
    "total": 6,
    "answered": 6,
    "revisions": (1,),
    "training_time_seconds": 0.412,
    "description": "Tickets of the web shop.",
    "tags": ("shop", "tickets"),
    "size_bytes": 688_128,
    "graph_bytes": 90_387_630,
    "classifiers": 1,
    "recall": 1.0,
    "precision": 1.0,
    "accuracy": 1.0,
    "macro_f1": 1.0,
    "seconds": 4.2,
    "tokens": 54,
    "memory_bytes": 210_000_000,
    "answers": True,
    "passed": True,
    "points_from": None,
    "threshold_changes": (),
    "explanation": None,
    "problem": None,
    "deleted_at": None,
    "skipped": (),
    "BulkDeletion.aliases": (),
    "ClassifierDetails.aliases": (EXAMPLE_ALIAS,),
    "ThresholdUpdate.aliases": (EXAMPLE_ALIAS,),
    "small_classes": (),
    "warnings": (),
    "import_warnings": (),
    "base_model_digest": _DIGEST,
    "digest": _DIGEST,
    "training_data_sha256": _DIGEST,
    "test_data_sha256": _DIGEST,
    "Prediction.alias": None,
    "Answer.labels": None,
    "NearRow.labels": None,
    "Deletion.freed_bytes": 0,
    "Inspection.encoding": "utf-8",
    "Inspection.delimiter": ",",
    "Inspection.has_header": True,
    "Inspection.text_columns": ("subject", "body"),
    "Inspection.label_column": "team",
    "Inspection.sha256": _DIGEST,
    "Inspection.questions": (),
    "InspectedColumn.name": "subject",
    "InspectedColumn.examples": ("Charged twice", "Login broken"),
    "InspectedColumn.distinct": 6,
    "InspectedRow.line": 2,
    "RowProblem.line": 7,
    "FileNote.detail": "'lookup' tables in it hold no rows.",
    "RowProblem.detail": "the label is blank. Fill it in or remove that row.",
    "BulkDeletion.freed_bytes": 0,
    "Copied.name": "mail_classifier_v1",
    "freed_bytes": 91_000_000,
    "Copied.origin": Origin(EXAMPLE_NAME, 1, _TIME),
    "Finding.code": "blob_altered",
    "Finding.path": f"blobs/{_DIGEST}",
    "Finding.detail": "The file is not as it was saved. Restore it from a backup.",
    "Alias.must_pass": (),
    "Binding.question": "is it about money?",
    "BindingChange.question": "is it about money?",
    "positive_label": "billing",
    "Binding.levels": (),
    "NearRow.text": EXAMPLE_ROWS[0]["text"],
    "ModelResult.reference": EXAMPLE_NAME,
    "MultiLabelResult.reference": EXAMPLE_NAME,
    "Suggestion.reason": ...,
    "Suggestion.labels": None,
    "Pair.first": EXAMPLE_NAME,
    "Pair.second": _RIVAL,
    "Job.id": EXAMPLE_JOB,
    "Job.files": None,
    "AuditLine.id": "063ed47c53dc40-5f2b9c",
    "AuditLine.verb": "promote",
    "AuditLine.target": EXAMPLE_ALIAS,
    "AuditLine.address": "10.0.0.17",
    "AuditLine.key_name": "deploy",
    "AuditLine.request_id": "5f0c9a2be1d04c37",
    "AuditLine.outcome": "ok",
    "AuditTrail.unreadable_files": 0,
    "Usage.classifiers": ...,
    "Usage.free_bytes": 250_000_000_000,
    "Erasure.revisions": ...,
    "ClassifierUsage.revisions": ...,
    "Record.scores": ...,
    "LabelReport.predicted": ...,
    "Disagreement.predicted": {EXAMPLE_NAME: "billing", _RIVAL: "account"},
    "MultiLabelDisagreement.predicted": {EXAMPLE_NAME: ("billing",), _RIVAL: ("account", "billing")},
    "MisclassifiedSet.predicted": ("account",),
    "FailedSet.predicted": ("account",),
    "ProposedLabelThreshold.predicted": 7,
    "MissedTogether.labels": ("account", "billing"),
    "MultiLabelPair.labels": ...,
    "ConfusedLabels.given": "account",
    "SharedMetrics.labels": ...,
    "GateMetrics.recall": {"account": 1.0, "billing": 1.0, "technical": 1.0},
    "GateMetrics.f1": {"account": 1.0, "billing": 1.0, "technical": 1.0},
    "ConfusionMatrix.counts": ((2, 0, 0), (0, 2, 0), (0, 0, 2)),
    "CurvePoint.recall": {"account": 1.0, "billing": 1.0, "technical": 1.0},
    "BaseModel.id": DEFAULT_BASE_MODEL,
    "CrossValidation.fold_accuracies": (1.0, 1.0),
    "MultiLabelCrossValidation.fold_accuracies": (1.0, 1.0),
    "DataWarning.rows": (3,),
    "ScoreReport.source": "out_of_fold",
    "ApiKey.name": "shop",
    "ApiKey.hint": "wdr_3kf9",
    "ApiKey.created_by": "admin",
    "KeyRestrictions.scopes": ("predict",),
    "KeyRestrictions.only": ("ticket*",),
    "CreatedKey.key": "wdr_…",
}
_PLAIN: Final[Mapping[Any, object]] = {
    str: "",
    bool: False,
    int: 1,
    float: 0.5,
    Any: None,
    datetime: _TIME,
}


def example_of(kind: Any) -> Any:
    """Return a value of a dataclass as an example."""
    types = types_of(kind)
    return kind(**{each.name: _field(kind, each.name, types[each.name]) for each in fields(kind) if each.init})


def _field(kind: Any, name: str, declared: Type) -> object:
    keys = (*(f"{each.__name__}.{name}" for each in kind.__mro__), name)
    example = next((_VALUES[key] for key in keys if key in _VALUES), ...)
    return _of(declared) if example is ... else example


def _of(declared: Type) -> Any:
    if declared.optional:
        return None
    if declared.each is not None:
        return (_of(declared.each),) if declared.kind is tuple else {}
    if is_dataclass(declared.kind):
        return example_of(declared.kind)
    return declared.choices[0] if declared.choices else _PLAIN[declared.kind]
