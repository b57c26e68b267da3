"""A base model that a classifier needs is not removed."""

import pytest

from windrow.domain.base_models import BaseModelUse, StoredBaseModel, check_unused
from windrow.domain.errors import BaseModelInUse
from windrow.domain.recipe import BaseModel

MODEL = StoredBaseModel(BaseModel("acme/tiny", "d" * 64), "data_directory", 10, 20)


def test_an_unused_base_model_may_go() -> None:
    check_unused(BaseModelUse(MODEL, classifiers=0, is_default=True))


def test_a_base_model_that_a_classifier_needs_may_not_go() -> None:
    with pytest.raises(BaseModelInUse, match=r"acme/tiny is what 3 classifier.*Purge them first") as caught:
        check_unused(BaseModelUse(MODEL, classifiers=3, is_default=False))
    assert caught.value.facts == {"base_model": "acme/tiny", "classifiers": 3}
