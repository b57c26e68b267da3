"""The JSON shapes of what a training reports."""

from dataclasses import asdict

from tests.fakes.operations import ADAPTER
from windrow.domain.classifier import HeadReport
from windrow.domain.dataset import DataWarning
from windrow.wire.reports import AdapterEntry, HeadEntry, WarningEntry


def test_everything_that_is_known_of_an_adapter_is_shown_and_comes_back() -> None:
    shown = AdapterEntry.of(ADAPTER)
    assert shown.model_dump() == {**asdict(ADAPTER), "candidates": [asdict(each) for each in ADAPTER.candidates]}
    assert shown.to_domain() == ADAPTER


def test_a_head_and_a_warning_come_back_as_they_were() -> None:
    head, warning = HeadReport(4.0, None, 0), DataWarning("small_classes", "Few rows.", (1, 2))
    assert HeadEntry.of(head).to_domain() == head
    assert WarningEntry.of(warning).to_domain() == warning
