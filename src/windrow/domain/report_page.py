"""The page of an evaluation: one HTML file that shows all of it, to be kept and passed on."""

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Final

from windrow.domain.alias import is_unicode
from windrow.domain.errors import InvalidParameter
from windrow.domain.file_reply import FileReply
from windrow.domain.multi_label_report import MultiLabelReport
from windrow.domain.report import EvaluateRequest, Report, check_evaluate_request
from windrow.domain.values import Schema

MAX_TITLE_CHARS: Final = 200


@dataclass(frozen=True, slots=True)
class ReportRequest(EvaluateRequest):
    """Rows to evaluate a classifier on, for a page that shows the result."""

    title: Annotated[str, Schema(maxLength=MAX_TITLE_CHARS)] | None = None
    """The page's heading, at most 200 characters; ``None`` for one with the classifier's name."""


@dataclass(frozen=True, slots=True, eq=False)
class ReportPage(FileReply):
    """An evaluation as one HTML page, which needs no other file."""

    media_types: ClassVar[tuple[str, ...]] = ("text/html",)
    """What it is, and what may be said of it besides."""
    suffix: ClassVar[str] = ".html"
    """How its name ends."""

    report: Report | MultiLabelReport | None = field(default=None, kw_only=True)
    """What it shows; ``None`` for one that came from a server."""


def check_report_request(request: ReportRequest) -> None:
    """Refuse a request that cannot be answered; its rows are not looked at.

    Raises:
        InvalidName: The name breaks the grammar.
        InvalidParameter: As :func:`windrow.domain.report.check_evaluate_request`, or the title is too long or no valid
            Unicode.
    """
    check_evaluate_request(request)
    title = request.title or ""
    if len(title) > MAX_TITLE_CHARS or not is_unicode(title):
        raise InvalidParameter(
            "{arg:title} must be valid Unicode of at most {limit} characters. Shorten it or leave it out.",
            {"parameter": "title", "limit": MAX_TITLE_CHARS},
        )
