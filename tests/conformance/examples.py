"""What the cases of the contract have in common: rows, trainings that take no time, and the codes of refusals."""

from collections.abc import Callable, Sequence

from tests.conformance.observing import Refusal
from windrow.domain.classifier import FitRequest
from windrow.domain.dataset import Row
from windrow.domain.labelled_rows import LabelledRows
from windrow.domain.multi_label import MultiLabelRow
from windrow.operations import Operations

Case = Callable[[Operations], object]
ROWS = tuple(
    Row(text, label)
    for text, label in (
        ("I was charged twice this month", "billing"),
        ("Please refund my last invoice", "billing"),
        ("The bill has a wrong amount", "billing"),
        ("The app crashes when I log in", "technical"),
        ("I get error 500 on the upload page", "technical"),
        ("The page does not load at all", "technical"),
    )
)
MULTI_LABEL_ROWS = tuple(
    MultiLabelRow(text, labels)
    for text, labels in (
        ("I was charged twice, fix it today", ("urgent", "billing")),
        ("Please refund my last invoice", ("billing",)),
        ("The bill is wrong and due now", ("billing", "urgent")),
        ("The app crashes, we all wait", ("technical", "urgent")),
        ("I get error 500 on the upload page", ("technical",)),
        ("Thank you, that was quick", ()),
    )
)
TEST_ROWS = (
    Row("My invoice shows a fee twice", "billing"),
    Row("Refund the second charge please", "billing"),
    Row("An error page comes when I upload", "technical"),
    Row("It crashes on my phone", "technical"),
)
LABELS = ("billing", "technical")
TEXT = "Why was I charged twice"
SECRET = "\ud800"
LONG = "x" * 501
REASON = "It is better, größer & more."


def request(name: str, rows: LabelledRows = ROWS) -> FitRequest:
    """Return a training that takes no time."""
    return FitRequest(name, rows, num_iterations=0)


def trained(operations: Operations, *names: str) -> None:
    """Train classifiers, each one on the labels the other way round from the one before."""
    swapped = {"billing": "technical", "technical": "billing"}
    for number, name in enumerate(names):
        rows = ROWS if number % 2 == 0 else tuple(Row(row.text, swapped[row.label]) for row in ROWS)
        operations.fit(request(name, rows))


def codes(refusals: Sequence[Refusal]) -> list[str]:
    """Return the codes of refusals."""
    return [each.code for each in refusals]
