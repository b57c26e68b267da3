"""Any value of the domain that a reply shows, for Hypothesis to draw; and the way through JSON and back."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st
from pydantic import BaseModel as Shape

from windrow.domain.alias import Alias, AliasChange
from windrow.domain.base_models import BaseModelUse
from windrow.domain.checkup import Checkup
from windrow.domain.classifier import (
    AdapterReport,
    Candidate,
    Classifier,
    HeadReport,
    Notes,
    Origin,
    Record,
    TestScore,
    TrainingSummary,
)
from windrow.domain.names import NAME_GRAMMAR, Reference
from windrow.domain.recipe import Recipe
from windrow.domain.reproduction import Reproduction

number = st.floats(allow_nan=False, allow_infinity=False)
count = st.integers(0, 10**6)
any_name = st.from_regex(NAME_GRAMMAR, fullmatch=True)
any_time = st.integers(0, 32_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
_score = st.none() | number
_adapters = st.builds(
    AdapterReport,
    strength=number,
    candidates=st.lists(st.builds(Candidate, number, _score), max_size=3).map(tuple),
    first_loss=_score,
    last_loss=_score,
)
any_record = st.builds(
    Record,
    rows_per_label=st.dictionaries(st.text(max_size=9), count, max_size=4),
    recipe=st.builds(Recipe, max_seconds=_score),
    created_at=any_time,
    training_time_s=number,
    summary=st.builds(
        TrainingSummary,
        head=st.builds(HeadReport, strength=number, cv_accuracy=_score),
        adapter=st.none() | _adapters,
        versions=st.dictionaries(st.text(max_size=9), st.text(max_size=9), max_size=3),
    ),
)
any_classifier = st.builds(
    Classifier,
    record=any_record,
    notes=st.builds(Notes),
    test=st.none() | st.builds(TestScore, count, st.integers(1, 10**6), measured_at=any_time),
    origin=st.none() | st.builds(Origin, imported_at=any_time),
    deleted_at=st.none() | any_time,
)
any_target = st.builds(Reference, any_name, st.none() | st.integers(1, 10**6))
any_alias = st.builds(Alias, name=any_name, points_to=any_target, changed_at=any_time)
any_change = st.builds(AliasChange, points_from=st.none() | any_target, points_to=st.none() | any_target, at=any_time)
any_use = st.builds(BaseModelUse)
any_checkup = st.builds(Checkup)
any_reproduction = st.builds(
    Reproduction, largest_weight_difference=_score, largest_score_difference=number, training_time_s=number
)


def sent(shown: Shape) -> str:
    """Return a reply as it goes over the wire."""
    return shown.model_dump_json(by_alias=True)


def there_and_back(shape: Any, value: object) -> object:
    """Show a value, send it, and return what comes out at the other side."""
    return shape.model_validate_json(sent(shape.of(value))).to_domain()
