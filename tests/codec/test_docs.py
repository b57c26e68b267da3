"""What a class says of its fields is found in its source, wherever the class stands."""

from dataclasses import dataclass

from windrow.codec.docs import field_docs, summary_of
from windrow.domain.classifier import FitRequest
from windrow.domain.recipe import Recipe


@dataclass
class Base:
    """A class whose fields others have too.

    More of it.
    """

    one: int
    """The first,
    on two lines.
    """
    two: int = 2
    unsaid: int = 3


@dataclass
class Derived(Base):
    """A class with a field that is said otherwise."""

    two: int = 4
    """The second, here."""


def test_fields_have_the_words_of_the_nearest_class_that_says_any() -> None:
    assert field_docs(Base) == {"one": "The first, on two lines."}
    assert field_docs(Derived) == {"one": "The first, on two lines.", "two": "The second, here."}
    assert field_docs(FitRequest)["seed"] == field_docs(Recipe)["seed"]
    assert field_docs(FitRequest)["model_name"].startswith("The classifier's name")


def test_a_class_inside_a_function_is_found_too() -> None:
    @dataclass
    class Local:
        """Of here."""

        three: int
        """The third."""

    assert field_docs(Local) == {"three": "The third."}


def test_the_summary_is_the_first_paragraph() -> None:
    assert summary_of(Base) == "A class whose fields others have too."
