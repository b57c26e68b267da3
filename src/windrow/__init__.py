"""Windrow: train, keep and serve few-shot text classifiers on one small machine.

``windrow.open(data_dir)`` gives every verb on this machine, ``windrow.Client(url)`` the same over a server,
``windrow.AsyncClient(url)`` that as coroutines, and ``windrow.WindrowClassifier`` is a classifier for scikit-learn's
pipelines. What methods return has a name here, too (``windrow.Report``). All is loaded where it is used.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from windrow.domain.access import ApiKey as ApiKey
    from windrow.domain.access import CreatedKey as CreatedKey
    from windrow.domain.access import KeyList as KeyList
    from windrow.domain.access import KeyRevocation as KeyRevocation
    from windrow.domain.access import LimitedKey as LimitedKey
    from windrow.domain.alias import Alias as Alias
    from windrow.domain.alias import AliasChange as AliasChange
    from windrow.domain.alias import AliasHistory as AliasHistory
    from windrow.domain.alias import AliasList as AliasList
    from windrow.domain.alias import AliasRemoval as AliasRemoval
    from windrow.domain.alias import Promotion as Promotion
    from windrow.domain.alias import Rollback as Rollback
    from windrow.domain.archive import Imported as Imported
    from windrow.domain.audit import AuditLine as AuditLine
    from windrow.domain.audit import AuditTrail as AuditTrail
    from windrow.domain.base_models import BaseModelList as BaseModelList
    from windrow.domain.base_models import BaseModelRemoval as BaseModelRemoval
    from windrow.domain.base_models import BaseModelUse as BaseModelUse
    from windrow.domain.base_models import StoredBaseModel as StoredBaseModel
    from windrow.domain.binding import Binding as Binding
    from windrow.domain.binding import BindingChange as BindingChange
    from windrow.domain.binding import BindingList as BindingList
    from windrow.domain.classification import Classification as Classification
    from windrow.domain.classification import Classifications as Classifications
    from windrow.domain.classification import LabelChoice as LabelChoice
    from windrow.domain.classifier import BulkDeletion as BulkDeletion
    from windrow.domain.classifier import Classifier as Classifier
    from windrow.domain.classifier import ClassifierDetails as ClassifierDetails
    from windrow.domain.classifier import Copied as Copied
    from windrow.domain.classifier import Deletion as Deletion
    from windrow.domain.classifier import FitResult as FitResult
    from windrow.domain.classifier import Origin as Origin
    from windrow.domain.classifier import Restored as Restored
    from windrow.domain.classifier import TestScore as TestScore
    from windrow.domain.comparison import Comparison as Comparison
    from windrow.domain.comparison import Disagreement as Disagreement
    from windrow.domain.comparison import ModelResult as ModelResult
    from windrow.domain.comparison import Pair as Pair
    from windrow.domain.comparison import Recommendation as Recommendation
    from windrow.domain.cross_validation import CrossValidation as CrossValidation
    from windrow.domain.cross_validation import CurvePoint as CurvePoint
    from windrow.domain.cross_validation import LabelAdvice as LabelAdvice
    from windrow.domain.dataset import DataWarning as DataWarning
    from windrow.domain.erasure import AffectedAlias as AffectedAlias
    from windrow.domain.erasure import AffectedRevision as AffectedRevision
    from windrow.domain.erasure import Erasure as Erasure
    from windrow.domain.errors import WindrowError as WindrowError
    from windrow.domain.examples import Examples as Examples
    from windrow.domain.explanation import Explanation as Explanation
    from windrow.domain.explanation import LabelExplanation as LabelExplanation
    from windrow.domain.explanation import NearRow as NearRow
    from windrow.domain.explanation import WordEffect as WordEffect
    from windrow.domain.file_fit import FileFit as FileFit
    from windrow.domain.file_prediction import PredictFilesReport as PredictFilesReport
    from windrow.domain.file_prediction import PredictFilesSummary as PredictFilesSummary
    from windrow.domain.gate import Check as Check
    from windrow.domain.gate import FailedRow as FailedRow
    from windrow.domain.gate import FailedSet as FailedSet
    from windrow.domain.gate import GateMetrics as GateMetrics
    from windrow.domain.gate import GateReport as GateReport
    from windrow.domain.inspection import FileNote as FileNote
    from windrow.domain.inspection import InspectedColumn as InspectedColumn
    from windrow.domain.inspection import InspectedRow as InspectedRow
    from windrow.domain.inspection import Inspection as Inspection
    from windrow.domain.inspection import OpenQuestion as OpenQuestion
    from windrow.domain.inspection import RowProblem as RowProblem
    from windrow.domain.integrity import Finding as Finding
    from windrow.domain.integrity import IntegrityReport as IntegrityReport
    from windrow.domain.interval import Interval as Interval
    from windrow.domain.job import FilePrediction as FilePrediction
    from windrow.domain.job import FitEstimate as FitEstimate
    from windrow.domain.job import Job as Job
    from windrow.domain.job import JobList as JobList
    from windrow.domain.job import Problem as Problem
    from windrow.domain.job import Progress as Progress
    from windrow.domain.job import StageEstimate as StageEstimate
    from windrow.domain.listing import Listing as Listing
    from windrow.domain.multi_label_comparison import LabelDifference as LabelDifference
    from windrow.domain.multi_label_comparison import MultiLabelComparison as MultiLabelComparison
    from windrow.domain.multi_label_comparison import MultiLabelDisagreement as MultiLabelDisagreement
    from windrow.domain.multi_label_comparison import MultiLabelPair as MultiLabelPair
    from windrow.domain.multi_label_comparison import MultiLabelResult as MultiLabelResult
    from windrow.domain.multi_label_cross_validation import DoubtedLabel as DoubtedLabel
    from windrow.domain.multi_label_cross_validation import MultiLabelCrossValidation as MultiLabelCrossValidation
    from windrow.domain.multi_label_cross_validation import MultiLabelCurvePoint as MultiLabelCurvePoint
    from windrow.domain.multi_label_report import ConfusedLabels as ConfusedLabels
    from windrow.domain.multi_label_report import MisclassifiedSet as MisclassifiedSet
    from windrow.domain.multi_label_report import MissedTogether as MissedTogether
    from windrow.domain.multi_label_report import MultiLabelBaseline as MultiLabelBaseline
    from windrow.domain.multi_label_report import MultiLabelReport as MultiLabelReport
    from windrow.domain.multi_label_report import ProposedLabelThreshold as ProposedLabelThreshold
    from windrow.domain.prediction import Answer as Answer
    from windrow.domain.prediction import Prediction as Prediction
    from windrow.domain.prediction import Predictions as Predictions
    from windrow.domain.prediction_summary import LabelSummary as LabelSummary
    from windrow.domain.report import Calibration as Calibration
    from windrow.domain.report import ConfusionMatrix as ConfusionMatrix
    from windrow.domain.report import CoveragePoint as CoveragePoint
    from windrow.domain.report import LabelReport as LabelReport
    from windrow.domain.report import MajorityBaseline as MajorityBaseline
    from windrow.domain.report import Misclassified as Misclassified
    from windrow.domain.report import ReliabilityBin as ReliabilityBin
    from windrow.domain.report import Report as Report
    from windrow.domain.reproduction import EnvironmentChange as EnvironmentChange
    from windrow.domain.reproduction import Reproduction as Reproduction
    from windrow.domain.store_copy import CopyProblem as CopyProblem
    from windrow.domain.store_copy import CopyProgress as CopyProgress
    from windrow.domain.store_copy import CopyReport as CopyReport
    from windrow.domain.suggestion import Suggestion as Suggestion
    from windrow.domain.suggestion import Suggestions as Suggestions
    from windrow.domain.threshold import ProposedThreshold as ProposedThreshold
    from windrow.domain.threshold import Threshold as Threshold
    from windrow.domain.threshold import ThresholdChange as ThresholdChange
    from windrow.domain.threshold import ThresholdUpdate as ThresholdUpdate
    from windrow.domain.training_report import AdapterReport as AdapterReport
    from windrow.domain.training_report import Candidate as Candidate
    from windrow.domain.training_report import Estimate as Estimate
    from windrow.domain.training_report import FitReport as FitReport
    from windrow.domain.training_report import HeadReport as HeadReport
    from windrow.domain.training_report import ScoreReport as ScoreReport
    from windrow.domain.usage import ClassifierUsage as ClassifierUsage
    from windrow.domain.usage import Usage as Usage
    from windrow.estimator import WindrowClassifier as WindrowClassifier
    from windrow.session.async_client import AsyncClient as AsyncClient
    from windrow.session.copying import copy_store as copy_store
    from windrow.session.reading_examples import read_examples as read_examples
    from windrow.session.reply_warnings import WindrowWarning as WindrowWarning
    from windrow.session.session import Client as Client
    from windrow.session.session import Session as Session
    from windrow.session.session import open_session as open  # noqa: A004 - windrow.open reads like the built-in

__version__ = "0.1.0"

__all__ = [
    "AdapterReport",
    "AffectedAlias",
    "AffectedRevision",
    "Alias",
    "AliasChange",
    "AliasHistory",
    "AliasList",
    "AliasRemoval",
    "Answer",
    "ApiKey",
    "AsyncClient",
    "AuditLine",
    "AuditTrail",
    "BaseModelList",
    "BaseModelRemoval",
    "BaseModelUse",
    "Binding",
    "BindingChange",
    "BindingList",
    "BulkDeletion",
    "Calibration",
    "Candidate",
    "Check",
    "Classification",
    "Classifications",
    "Classifier",
    "ClassifierDetails",
    "ClassifierUsage",
    "Client",
    "Comparison",
    "ConfusedLabels",
    "ConfusionMatrix",
    "Copied",
    "CopyProblem",
    "CopyProgress",
    "CopyReport",
    "CoveragePoint",
    "CreatedKey",
    "CrossValidation",
    "CurvePoint",
    "DataWarning",
    "Deletion",
    "Disagreement",
    "DoubtedLabel",
    "EnvironmentChange",
    "Erasure",
    "Estimate",
    "Examples",
    "Explanation",
    "FailedRow",
    "FailedSet",
    "FileFit",
    "FileNote",
    "FilePrediction",
    "Finding",
    "FitEstimate",
    "FitReport",
    "FitResult",
    "GateMetrics",
    "GateReport",
    "HeadReport",
    "Imported",
    "InspectedColumn",
    "InspectedRow",
    "Inspection",
    "IntegrityReport",
    "Interval",
    "Job",
    "JobList",
    "KeyList",
    "KeyRevocation",
    "LabelAdvice",
    "LabelChoice",
    "LabelDifference",
    "LabelExplanation",
    "LabelReport",
    "LabelSummary",
    "LimitedKey",
    "Listing",
    "MajorityBaseline",
    "Misclassified",
    "MisclassifiedSet",
    "MissedTogether",
    "ModelResult",
    "MultiLabelBaseline",
    "MultiLabelComparison",
    "MultiLabelCrossValidation",
    "MultiLabelCurvePoint",
    "MultiLabelDisagreement",
    "MultiLabelPair",
    "MultiLabelReport",
    "MultiLabelResult",
    "NearRow",
    "OpenQuestion",
    "Origin",
    "Pair",
    "PredictFilesReport",
    "PredictFilesSummary",
    "Prediction",
    "Predictions",
    "Problem",
    "Progress",
    "Promotion",
    "ProposedLabelThreshold",
    "ProposedThreshold",
    "Recommendation",
    "ReliabilityBin",
    "Report",
    "Reproduction",
    "Restored",
    "Rollback",
    "RowProblem",
    "ScoreReport",
    "Session",
    "StageEstimate",
    "StoredBaseModel",
    "Suggestion",
    "Suggestions",
    "TestScore",
    "Threshold",
    "ThresholdChange",
    "ThresholdUpdate",
    "Usage",
    "WindrowClassifier",
    "WindrowError",
    "WindrowWarning",
    "WordEffect",
    "__version__",
    "copy_store",
    "open",
    "read_examples",
]

# Where each public name lives, so that importing windrow loads none of them.
_MODULES = {
    "windrow.domain.erasure": ("AffectedAlias", "AffectedRevision", "Erasure"),
    "windrow.domain.errors": ("WindrowError",),
    "windrow.domain.examples": ("Examples",),
    "windrow.domain.access": ("ApiKey", "CreatedKey", "KeyList", "KeyRevocation", "LimitedKey"),
    "windrow.domain.alias": (
        "Alias",
        "AliasChange",
        "AliasHistory",
        "AliasList",
        "AliasRemoval",
        "Promotion",
        "Rollback",
    ),
    "windrow.domain.archive": ("Imported",),
    "windrow.domain.audit": ("AuditLine", "AuditTrail"),
    "windrow.domain.base_models": (
        "BaseModelList",
        "BaseModelRemoval",
        "BaseModelUse",
        "StoredBaseModel",
    ),
    "windrow.domain.binding": ("Binding", "BindingChange", "BindingList"),
    "windrow.domain.classification": (
        "Classification",
        "Classifications",
        "LabelChoice",
    ),
    "windrow.domain.classifier": (
        "BulkDeletion",
        "Classifier",
        "ClassifierDetails",
        "Copied",
        "Deletion",
        "FitResult",
        "Origin",
        "Restored",
        "TestScore",
    ),
    "windrow.domain.comparison": (
        "Comparison",
        "Disagreement",
        "ModelResult",
        "Pair",
        "Recommendation",
    ),
    "windrow.domain.cross_validation": (
        "CrossValidation",
        "CurvePoint",
        "LabelAdvice",
    ),
    "windrow.domain.dataset": ("DataWarning",),
    "windrow.domain.explanation": (
        "Explanation",
        "LabelExplanation",
        "NearRow",
        "WordEffect",
    ),
    "windrow.domain.file_fit": ("FileFit",),
    "windrow.domain.file_prediction": ("PredictFilesReport", "PredictFilesSummary"),
    "windrow.domain.gate": (
        "Check",
        "FailedRow",
        "FailedSet",
        "GateMetrics",
        "GateReport",
    ),
    "windrow.domain.inspection": (
        "FileNote",
        "InspectedColumn",
        "InspectedRow",
        "Inspection",
        "OpenQuestion",
        "RowProblem",
    ),
    "windrow.domain.integrity": (
        "Finding",
        "IntegrityReport",
    ),
    "windrow.domain.interval": ("Interval",),
    "windrow.domain.job": (
        "FilePrediction",
        "FitEstimate",
        "Job",
        "JobList",
        "Problem",
        "Progress",
        "StageEstimate",
    ),
    "windrow.domain.listing": ("Listing",),
    "windrow.domain.multi_label_comparison": (
        "LabelDifference",
        "MultiLabelComparison",
        "MultiLabelDisagreement",
        "MultiLabelPair",
        "MultiLabelResult",
    ),
    "windrow.domain.multi_label_cross_validation": (
        "DoubtedLabel",
        "MultiLabelCrossValidation",
        "MultiLabelCurvePoint",
    ),
    "windrow.domain.multi_label_report": (
        "ConfusedLabels",
        "MisclassifiedSet",
        "MissedTogether",
        "MultiLabelBaseline",
        "MultiLabelReport",
        "ProposedLabelThreshold",
    ),
    "windrow.domain.prediction": (
        "Answer",
        "Prediction",
        "Predictions",
    ),
    "windrow.domain.prediction_summary": ("LabelSummary",),
    "windrow.domain.report": (
        "Calibration",
        "ConfusionMatrix",
        "CoveragePoint",
        "LabelReport",
        "MajorityBaseline",
        "Misclassified",
        "ReliabilityBin",
        "Report",
    ),
    "windrow.domain.reproduction": (
        "EnvironmentChange",
        "Reproduction",
    ),
    "windrow.domain.store_copy": (
        "CopyProblem",
        "CopyProgress",
        "CopyReport",
    ),
    "windrow.domain.suggestion": (
        "Suggestion",
        "Suggestions",
    ),
    "windrow.domain.threshold": (
        "ProposedThreshold",
        "Threshold",
        "ThresholdChange",
        "ThresholdUpdate",
    ),
    "windrow.domain.training_report": (
        "AdapterReport",
        "Candidate",
        "Estimate",
        "FitReport",
        "HeadReport",
        "ScoreReport",
    ),
    "windrow.domain.usage": (
        "ClassifierUsage",
        "Usage",
    ),
    "windrow.estimator": ("WindrowClassifier",),
    "windrow.session.async_client": ("AsyncClient",),
    "windrow.session.copying": ("copy_store",),
    "windrow.session.reading_examples": ("read_examples",),
    "windrow.session.reply_warnings": ("WindrowWarning",),
    "windrow.session.session": ("Client", "Session", "open_session"),
}
_RENAMED = {"open": "open_session"}
_PLACES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'windrow' has no attribute {name!r}")
    from importlib import import_module

    attribute = _RENAMED.get(name, name)
    value = getattr(import_module(_PLACES[attribute]), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
