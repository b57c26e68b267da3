"""A base model that a classifier needs is not removed."""

import pytest

from windrow.domain.base_models import BaseModelUse, check_unused
from windrow.domain.errors import BaseModelInUse


def use(classifiers: int) -> BaseModelUse:
    return BaseModelUse(
        "acme/tiny",
        "d" * 64,
        location="data_directory",
        size_bytes=10,
        graph_bytes=20,
        classifiers=classifiers,
        is_default=False,
    )


def test_an_unused_base_model_may_go() -> None:
    check_unused(use(0))


def test_a_base_model_that_a_classifier_needs_may_not_go() -> None:
    words = r"^3 classifiers were trained on the base model acme/tiny .*Purge what needs it"
    with pytest.raises(BaseModelInUse, match=words) as caught:
        check_unused(use(3))
    assert caught.value.facts == {"base_model": "acme/tiny", "classifiers": 3}
