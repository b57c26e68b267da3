"""Shows an evaluation as a page."""

from windrow.domain.report_page import ReportPage, ReportRequest, check_report_request
from windrow.html_report.page import PageContent, render_page
from windrow.service.dependencies import Dependencies
from windrow.service.evaluation import measure


def report(deps: Dependencies, request: ReportRequest) -> ReportPage:
    """Evaluate a classifier, and show the result as a page. See ``Operations.report``."""
    check_report_request(request)
    measured, model = measure(deps, request)
    page = render_page(PageContent(measured, model.entry.record, request.test_data, request.title))
    file_name = f"{measured.model_name}@{measured.revision}{ReportPage.suffix}"
    return ReportPage(file_name, len(page), iter((page,)), report=measured)
