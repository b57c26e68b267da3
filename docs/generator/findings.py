"""The page on findings: each code of ``windrow fsck``."""

from docs.generator.markdown import inline, page, paragraph, table
from windrow.domain.integrity import FINDINGS


def text() -> str:
    """Return the page."""
    return page(
        "Findings",
        paragraph(
            "What `windrow fsck` finds. [Check a data directory](../how-to/check-a-data-directory.md) says what the "
            "severities mean and what to do."
        ),
        table(
            ["Code", "Severity", "What was found"],
            [[f"`{code}`", severity, inline(meaning)] for code, (severity, meaning) in FINDINGS.items()],
        ),
    )
