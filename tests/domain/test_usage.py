"""Every byte is counted once, under what it is for."""

from windrow.domain.base_models import StoredBaseModel
from windrow.domain.usage import ClassifierUsage, Usage


def test_each_sum_takes_in_what_it_is_for() -> None:
    usage = Usage(
        base_models=(
            StoredBaseModel("acme/a", "a" * 64, location="installed", size_bytes=1, graph_bytes=2),
            StoredBaseModel("acme/b", "b" * 64, location="hub_cache", size_bytes=4, graph_bytes=0),
        ),
        classifiers=(
            ClassifierUsage("a", 8, 1, deleted=False),
            ClassifierUsage("b", 16, 2, deleted=True),
            ClassifierUsage("c", 32, 1, deleted=False),
            ClassifierUsage("d", 64, 1, deleted=True),
        ),
        other_bytes=128,
        free_bytes=256,
        min_free_bytes=512,
    )
    assert usage.shared_bytes == 1 + 2 + 4
    assert usage.classifier_bytes == 8 + 32
    assert usage.deleted_bytes == 16 + 64
    assert usage.total_bytes == 255


def test_an_empty_place_takes_nothing() -> None:
    assert Usage((), (), 0, 10, 0).total_bytes == 0
