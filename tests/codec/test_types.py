"""What type hints say: the forms that declarations use, however None and annotations stand around them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
import pytest

from windrow.codec.types import Type, type_of, types_of
from windrow.domain.classifier import FitRequest
from windrow.domain.dataset import Row
from windrow.domain.multi_label import MultiLabelRow
from windrow.domain.names import ModelReference
from windrow.domain.values import Schema

Share = Annotated[float, Schema(minimum=0, maximum=1)]
SHARE = Type(float, Share, members={"minimum": 0, "maximum": 1})


@dataclass
class Given:
    """Some fields."""

    names: tuple[ModelReference, ...]
    share: Share | None = None


@pytest.mark.parametrize(
    ("hint", "said"),
    [
        (int, Type(int, int)),
        (Any, Type(Any, Any)),
        (Row | None, Type(Row, Row, optional=True)),
        (Share, SHARE),
        (Share | None, Type(float, Share, optional=True, members=SHARE.members)),
        (tuple[Share, ...], Type(tuple, tuple[Share, ...], each=SHARE)),
        (Mapping[str, Share], Type(Mapping, Mapping[str, Share], each=SHARE)),
        (Literal["a", "b"], Type(Literal["a", "b"], Literal["a", "b"], choices=("a", "b"))),
        (npt.NDArray[np.float32], Type(np.ndarray, npt.NDArray[np.float32])),
        (npt.NDArray[np.int64] | npt.NDArray[np.bool_], Type(np.ndarray, np.ndarray)),
        (npt.NDArray[np.int64] | npt.NDArray[np.bool_] | None, Type(np.ndarray, np.ndarray, optional=True)),
    ],
)
def test_a_hint_is_taken_apart(hint: Any, said: Type) -> None:
    assert type_of(hint) == said


def test_none_may_stand_within_an_annotation() -> None:
    said = type_of(Annotated[int | None, Schema(minimum=1)])
    assert (said.kind, said.optional, said.members) == (int, True, {"minimum": 1})


def test_a_union_of_two_classes_says_nothing_that_could_be_read() -> None:
    with pytest.raises(ValueError, match="too many values"):
        type_of(int | str)


def test_of_a_union_of_dataclasses_each_is_a_form() -> None:
    said = type_of(Row | MultiLabelRow | None)
    assert (said.kind, said.forms, said.optional) == (Row, (Row, MultiLabelRow), True)
    assert type_of(tuple[Row | MultiLabelRow, ...]).item is Row
    assert type_of(Row).forms == ()


def test_only_a_tuple_has_items() -> None:
    kinds: tuple[Any, ...] = (tuple[Row, ...], tuple[Row, ...] | None, Mapping[str, Row], Row)
    assert [type_of(each).item for each in kinds] == [Row, Row, None, None]


def test_fields_come_in_their_order_with_their_annotations_and_those_that_a_class_inherits() -> None:
    types = types_of(Given)
    assert list(types) == ["names", "share"]
    assert types["names"].each == type_of(ModelReference)
    assert types["share"].optional
    assert types_of(FitRequest)["seed"].members["minimum"] == 0
