"""Make an example of what a tool wrote as text and labels, or say what is wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from windrow.codec.strict import kind_of as json_kind_of
from windrow.domain.characters import is_blank
from windrow.files.formats.form import Example, LeftOut, Split

_REMOVE: Final = "Correct or remove that row."


@dataclass(frozen=True, slots=True)
class RawRow:
    """A row whose values are still what they were in the file."""

    place: int
    """Its line, or the number of its record, from 1."""
    text: object
    """What stands where its text should."""
    labels: object = None
    """One label, a list of any number of them, or ``None`` where nobody has labelled it."""
    split: Split | None = None
    """The part of the data that it belongs to."""
    id: str = ""
    """What the tool calls it."""
    values: Mapping[str, object] = field(default_factory=dict, repr=False)
    """The row in the tool's own form."""

    def checked(self) -> Example | LeftOut:
        """Return it as an example; one that is broken as what is left out, with the reason."""
        if (problem := _problem_of_text(self.text)) is not None:
            return self.wrong(problem, kind=kind_of(self.text))
        if self.labels is None:
            return self._example(None)
        given = self.labels if isinstance(self.labels, list) else [self.labels]
        labels = [as_label(each) for each in given]
        for label in labels:
            if not isinstance(label, str):
                return self.wrong(f"a label is {{kind}}, no text. {_REMOVE}", kind=kind_of(label))
            if is_blank(label):
                return self.wrong(f"a label is blank. {_REMOVE}")
            if not _has_whole_characters(label):
                return self.wrong(f"a label holds half of a surrogate pair, which is no character. {_REMOVE}")
        return self._example(tuple(dict.fromkeys(map(str, labels))))

    def wrong(self, template: str, **facts: object) -> LeftOut:
        """Return it as a row that is broken.

        Args:
            template: What is wrong, and what to do; begins in lower case and ends with a full stop.
            **facts: The values for the template's placeholders.
        """
        return self._left_out(template, facts, is_wrong=True)

    def left_out(self, template: str, **facts: object) -> LeftOut:
        """Return it as a row that is no example, though nothing is wrong with it.

        Args:
            template: Why; begins in lower case and ends with a full stop.
            **facts: The values for the template's placeholders.
        """
        return self._left_out(template, facts, is_wrong=False)

    def _left_out(self, template: str, facts: Mapping[str, object], *, is_wrong: bool) -> LeftOut:
        text = self.text if isinstance(self.text, str) and _has_whole_characters(self.text) else ""
        return LeftOut(self.place, template, facts, self.id, text, is_wrong, self.values)

    def _example(self, labels: tuple[str, ...] | None) -> Example:
        assert isinstance(self.text, str)
        return Example(self.place, self.text, labels, self.split, self.id, self.values)


def kind_of(value: object) -> str:
    """Return what a JSON value is, for a person."""
    return "a text" if isinstance(value, str) else json_kind_of(value)


def as_label(value: object) -> object:
    """Return what a value says as a label, which may be none: a whole number is the label of its digits.

    Args:
        value: Any JSON value; whole numbers may be written as 1.0, as programs do where some are missing.
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value.strip() if isinstance(value, str) else value


def as_object(value: object) -> Mapping[str, Any]:
    """Return a value that is an object; an empty one in place of any other."""
    return value if isinstance(value, dict) else {}


def as_list(value: object) -> list[Any]:
    """Return a value that is a list; an empty one in place of any other."""
    return value if isinstance(value, list) else []


def as_text(value: object) -> str:
    """Return a value that is a text or a whole number as a text; an empty one in place of any other."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else ""


def _problem_of_text(value: object) -> str | None:
    if not isinstance(value, str):
        return f"the text is {{kind}}. {_REMOVE}" if value is not None else f"the text is missing. {_REMOVE}"
    if is_blank(value):
        return "the text is blank. Fill it in or remove that row."
    if not _has_whole_characters(value):
        return f"the text holds half of a surrogate pair, which is no character. {_REMOVE}"
    return None


def _has_whole_characters(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
