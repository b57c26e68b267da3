"""A training on a file, and its evaluation on the rows that the file has for testing."""

from dataclasses import dataclass

from windrow.domain.classifier import FitResult
from windrow.domain.multi_label_report import MultiLabelReport
from windrow.domain.report import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFit(FitResult):
    """A new classifier, and how it does on the rows that its file has for testing."""

    evaluation: Report | MultiLabelReport | None = None
    """The reply of an evaluation on those rows; ``None`` where the file has none."""
