"""Read YAML as texts, lists and mappings, each text with its line.

No value means anything but its text: ``no`` is no truth value, and nothing is made of a tag. An alias is refused, so a
file holds no more than what stands in it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

# Deeper files are no training data.
MAX_DEPTH: Final = 30
# Each value takes some hundred bytes in memory, however short it is.
MAX_VALUES: Final = 1_000_000
_BROKEN: Final = "the YAML is broken: {reason}. Correct it."


class Refuse(Protocol):
    """Makes the error that refuses a file; see ``Document.error``."""

    def __call__(self, template: str, line: int | None = None, **facts: object) -> Exception:
        """Return the error."""
        ...


@dataclass(frozen=True, slots=True)
class YamlText:
    """A text of a YAML file."""

    text: str
    """What it says."""
    line: int
    """The line at which its text begins, from 1."""


YamlValue = YamlText | list[Any] | dict[str, Any]
"""A text, a list of values, or values by their keys."""


def read_yaml(text: str, refuse: Refuse) -> Iterator[YamlValue]:
    """Yield the value of each document of a YAML stream.

    Args:
        text: The stream.
        refuse: Makes the error that is raised.

    Raises:
        InvalidFile: It is no YAML, is nested too deeply, has too many values or a key twice in a mapping, or refers to
            a part of itself.
    """
    import yaml

    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    building = _Building(refuse)
    try:
        for number, event in enumerate(yaml.parse(text, Loader=loader)):
            line = event.start_mark.line + 1
            if number > MAX_VALUES:
                words = "it has more than {limit} values. Write examples as one block below |, or cut it into several."
                raise refuse(words, line, limit=MAX_VALUES)
            if isinstance(event, yaml.AliasEvent):
                words = "*{name} refers to another part of the file, which is not followed. Write that part out here."
                raise refuse(words, line, name=str(event.anchor)[:40])
            if isinstance(event, yaml.ScalarEvent):
                # The text of a block begins below its mark.
                building.add(YamlText(event.value, line + (event.style in ("|", ">"))), line)
            elif isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent):
                building.begin([] if isinstance(event, yaml.SequenceStartEvent) else {}, line)
            elif isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
                building.end(line)
            elif isinstance(event, yaml.DocumentEndEvent):
                yield building.take()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or str(error).partition("\n")[0]
        raise refuse(_BROKEN, None if mark is None else mark.line + 1, reason=str(reason)) from error


@dataclass(slots=True)
class _Building:
    """The value that is being read: the lists and mappings around the present place, and their keys."""

    refuse: Refuse
    _open: list[list[Any] | dict[str, Any]] = field(default_factory=list)
    _keys: list[str | None] = field(default_factory=list)
    _value: YamlValue | None = None

    def add(self, value: YamlValue, line: int) -> None:
        """Take the next value, or the key of the next one."""
        if not self._open:
            self._value = value
            return
        around = self._open[-1]
        if isinstance(around, list):
            around.append(value)
        elif (key := self._keys[-1]) is not None:
            around[key] = value
            self._keys[-1] = None
        elif not isinstance(value, YamlText):
            raise self.refuse(_BROKEN, line, reason="a list or a mapping is no key")
        elif value.text in around:
            raise self.refuse(
                "the key {key!r} stands twice in one mapping. Keep one of them.", line, key=value.text[:40]
            )
        else:
            self._keys[-1] = value.text

    def begin(self, value: list[Any] | dict[str, Any], line: int) -> None:
        """Enter a list or a mapping."""
        if len(self._open) == MAX_DEPTH:
            raise self.refuse("it is nested more than {limit} deep. Is it a file of rows?", line, limit=MAX_DEPTH)
        if self._open and isinstance(self._open[-1], dict) and self._keys[-1] is None:
            raise self.refuse(_BROKEN, line, reason="a list or a mapping is no key")
        self._open.append(value)
        self._keys.append(None)

    def end(self, line: int) -> None:
        """Leave a list or a mapping, which becomes the next value of what is around it."""
        value = self._open.pop()
        self._keys.pop()
        self.add(value, line)

    def take(self) -> YamlValue:
        """Return the whole value, and begin anew."""
        value, self._value = self._value, None
        return YamlText("", 1) if value is None else value
