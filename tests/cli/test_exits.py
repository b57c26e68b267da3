"""Which error ends with which exit code."""

import pytest

from windrow.cli.exits import exit_code_of
from windrow.domain.errors import (
    BaseModelUnavailable,
    ClassifierExists,
    ClassifierNotFound,
    InvalidArtifact,
    InvalidName,
    Overloaded,
    PromotionRefused,
    StorageFull,
    TrainingCancelled,
    WindrowError,
)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (PromotionRefused, 1),
        (InvalidName, 2),
        (ClassifierNotFound, 3),
        (ClassifierExists, 3),
        (TrainingCancelled, 5),
        (BaseModelUnavailable, 4),
        (Overloaded, 4),
        (InvalidArtifact, 5),
        (StorageFull, 5),
        (WindrowError, 5),
    ],
)
def test_a_family_of_errors_has_one_exit_code(error: type[WindrowError], code: int) -> None:
    assert exit_code_of(error("No. Do something else.")) == code
