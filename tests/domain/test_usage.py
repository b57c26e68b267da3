"""Every byte is counted once, under what it is for."""

from windrow.domain.base_models import StoredBaseModel
from windrow.domain.recipe import BaseModel
from windrow.domain.usage import ClassifierUsage, Usage


def test_each_sum_takes_in_what_it_is_for() -> None:
    usage = Usage(
        base_models=(
            StoredBaseModel(BaseModel("acme/a", "a" * 64), "installed", 1, 2),
            StoredBaseModel(BaseModel("acme/b", "b" * 64), "hub_cache", 4, 0),
        ),
        classifiers=(
            ClassifierUsage("a", 8, 1, is_deleted=False),
            ClassifierUsage("b", 16, 2, is_deleted=True),
            ClassifierUsage("c", 32, 1, is_deleted=False),
            ClassifierUsage("d", 64, 1, is_deleted=True),
        ),
        other_bytes=128,
        free_bytes=256,
    )
    assert usage.shared_bytes == 1 + 2 + 4
    assert usage.classifier_bytes == 8 + 32
    assert usage.deleted_bytes == 16 + 64
    assert usage.total_bytes == 255


def test_an_empty_place_takes_nothing() -> None:
    assert Usage((), (), 0, 10).total_bytes == 0
