"""Fields that follow from others, values made of other values, and what an annotation adds to a schema."""

from dataclasses import FrozenInstanceError, dataclass, fields, replace
from typing import Annotated

import pytest

from windrow.domain.values import ListValue, Presented, Schema, Value, computed, has_default, present_with, recast


@dataclass(frozen=True, slots=True)
class Share(Value):
    correct: int
    total: int
    share: float = computed(lambda self: self.correct / self.total, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Named(Share):
    name: str = "a"
    doubled: float = computed(lambda self: 2 * self.share, 0.0)


@dataclass(frozen=True, slots=True)
class Bounded:
    """A value with a rule in its schema."""

    sure: Annotated[float, Schema(minimum=0, maximum=1)]
    perhaps: Annotated[int | None, Schema(minimum=1)] = None


def test_a_computed_field_follows_from_the_others_in_classes_below_too() -> None:
    assert Share(1, 4).share == 0.25
    assert (Named(1, 4).share, Named(1, 4).doubled) == (0.25, 0.5)


def test_a_computed_field_is_never_passed_or_set_and_follows_a_change() -> None:
    with pytest.raises(TypeError):
        Share(1, 4, share=1.0)
    with pytest.raises(FrozenInstanceError):
        Share(1, 4).share = 1.0  # type: ignore[misc]
    assert replace(Share(1, 4), correct=2).share == 0.5


def test_a_value_is_widened_and_narrowed_by_the_names_of_its_fields() -> None:
    wide = recast(Named, Share(1, 4), name="b")
    assert wide == Named(1, 4, name="b")
    assert recast(Share, wide) == Share(1, 4)
    assert recast(Share, wide, total=2).share == 0.5


def test_the_first_of_several_values_that_has_a_field_gives_it() -> None:
    assert recast(Named, Bounded(0.5), Share(1, 4), Named(3, 4, name="b")) == Named(1, 4, name="b")
    assert recast(Named, Share(1, 4), Named(3, 4, name="b"), correct=2) == Named(2, 4, name="b")


def test_what_a_value_lacks_keeps_its_default_or_is_missed() -> None:
    assert recast(Named, Share(1, 4)).name == "a"
    with pytest.raises(TypeError, match="total"):
        recast(Share, Bounded(0.5), correct=1)


def test_only_a_field_with_a_default_may_be_left_out() -> None:
    assert {each.name: has_default(each) for each in fields(Bounded)} == {"sure": False, "perhaps": True}


@dataclass(frozen=True, slots=True)
class Entries(ListValue[int]):
    _items = "numbers"

    numbers: tuple[int, ...]


def test_a_list_is_as_long_as_it_has_entries_which_are_iterated_and_found_by_their_place() -> None:
    found = Entries((3, 4, 5))
    assert (len(found), list(found), found[0], found[-1], found[1:]) == (3, [3, 4, 5], 3, 5, (4, 5))
    assert 4 in found
    assert (len(Entries(())), list(Entries(()))) == (0, [])
    with pytest.raises(IndexError):
        found[3]


def test_a_list_without_entries_is_an_answer_all_the_same() -> None:
    assert Entries(())


def test_a_value_that_nobody_presents_leaves_a_notebook_its_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Presented, "_presenter", None)
    assert Entries((1,))._repr_html_() is None
    assert repr(Entries((1,))) == "Entries(numbers=[1])"


def test_a_presenter_is_asked_by_every_value(monkeypatch: pytest.MonkeyPatch) -> None:
    class Telling:
        def html(self, value: object) -> str:
            return f"<b>{value}</b>"

        def frame(self, value: object, *, all_fields: bool) -> object:
            return [value, all_fields]

    monkeypatch.setattr(Presented, "_presenter", None)
    present_with(Telling())
    assert Entries((1,))._repr_html_() == "<b>Entries(numbers=[1])</b>"
    assert Entries((1,)).to_frame() == [Entries((1,)), False]
    assert Entries((1,)).to_frame(all_fields=True) == [Entries((1,)), True]
