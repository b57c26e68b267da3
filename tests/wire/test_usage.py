"""The JSON shape of what everything takes, to and from the domain."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.operations import DOWNLOADED, INSTALLED
from tests.wire.strategies import there_and_back
from windrow.domain.usage import ClassifierUsage, Usage
from windrow.wire.usage import UsageReply


@settings(deadline=None)
@given(st.builds(Usage))
def test_usage_survives_the_way_out_and_back(usage: Usage) -> None:
    assert there_and_back(UsageReply, usage) == usage


def test_the_sums_stand_beside_the_parts() -> None:
    classifiers = (ClassifierUsage("a", 30, 1, is_deleted=False), ClassifierUsage("b", 5, 2, is_deleted=True))
    shown = UsageReply.of(Usage((INSTALLED, DOWNLOADED), classifiers, 4, 1_000)).model_dump()
    sums = {name: value for name, value in shown.items() if name.endswith("_bytes")}
    assert sums == {
        "total_bytes": 289,
        "shared_bytes": 250,
        "classifier_bytes": 30,
        "deleted_bytes": 5,
        "other_bytes": 4,
        "free_bytes": 1_000,
    }
    assert shown["classifiers"][1] == {"name": "b", "size_bytes": 5, "revisions": 2, "deleted": True}
