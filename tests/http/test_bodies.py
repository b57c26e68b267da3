"""Bodies that are wrong in very many places are refused for the price of a few."""

import pytest
from pydantic import ValidationError

from windrow.domain.dataset import DataLimits
from windrow.http.bodies import MAX_PROBLEMS, parse_json, without_flood
from windrow.wire.prediction import PredictBody
from windrow.wire.training import FitBody


def test_a_document_of_known_fields_stays_as_it_is() -> None:
    document = {"model_name": "a", "text": "b"}
    assert without_flood(document, PredictBody) is document


def test_of_very_many_unknown_fields_only_a_few_are_looked_at() -> None:
    document = {f"field_{number}": number for number in range(100_000)} | {"model_name": "a", "text": "b"}
    kept = without_flood(document, PredictBody)
    assert isinstance(kept, dict)
    assert len(kept) == MAX_PROBLEMS + 2
    assert (kept["model_name"], kept["text"]) == ("a", "b")


@pytest.mark.parametrize("document", [[], "text", 3, None, {}])
def test_what_is_no_large_object_is_left_to_the_shape(document: object) -> None:
    assert without_flood(document, PredictBody) is document


@pytest.mark.parametrize("row", [{}, {"text": 1, "label": 2}, "text", {f"field_{n}": n for n in range(100)}])
def test_behind_the_first_wrong_row_only_a_few_are_looked_at(row: object) -> None:
    rows = [{"text": "a", "label": "b"}] * 5 + [row] * 50_000
    with pytest.raises(ValidationError) as caught:
        FitBody.read({"model_name": "a", "training_data": rows}, DataLimits())
    places = [error["loc"] for error in caught.value.errors(include_input=False)]
    assert places[0][:2] == ("training_data", 5)
    assert len(places) < 200


def test_json_is_parsed_strictly() -> None:
    assert parse_json(b'{"a": [1, 2.5, "x"]}') == {"a": [1, 2.5, "x"]}
