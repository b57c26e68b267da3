"""Find values inside the objects of JSON by their path, such as ``fields.text`` or ``annotations.0.label``."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from windrow.domain.read_options import ReadOptions

_SEPARATOR: Final = "."
_NOTHING: Final = object()


class NestedRow(dict[str, object]):
    """An object whose inner values can be looked up by their paths too; to iterate over it yields its own keys."""

    def __missing__(self, path: str) -> object:
        """Return the value at a path.

        Raises:
            KeyError: There is none.
        """
        value = _value_at(self, path)
        if value is _NOTHING:
            raise KeyError(path)
        return value

    def __contains__(self, path: object) -> bool:
        """Return whether there is a key of that name, or a value at that path."""
        return super().__contains__(path) or (isinstance(path, str) and _value_at(self, path) is not _NOTHING)

    def get(self, path: str, default: object = None) -> object:
        """Return the value of a key, or at a path."""
        value = super().get(path, _NOTHING)
        if value is _NOTHING:
            value = _value_at(self, path)
        return default if value is _NOTHING else value


def asked_paths(options: ReadOptions) -> tuple[str, ...]:
    """Return what the options name that may be a path, each once."""
    given = (*options.text_column, options.label_column, options.labels_column, options.id_column, options.split_column)
    names = (part.strip() for each in (*given, *options.indicator_columns) if each for part in (each, *each.split(",")))
    return tuple(dict.fromkeys(name for name in names if _SEPARATOR in name.strip(_SEPARATOR)))


def found_paths(row: Mapping[str, object], paths: Sequence[str]) -> Iterator[str]:
    """Yield those paths at which an object has a value, and that are not keys of it."""
    for path in paths:
        if path not in dict.keys(row) and _value_at(row, path) is not _NOTHING:  # type: ignore[arg-type]
            yield path


def _value_at(value: object, path: str) -> object:
    """Return the value at a path; a key with dots in it comes before a path."""
    if not isinstance(value, dict | list):
        return _NOTHING
    if isinstance(value, list):
        first, _, rest = path.partition(_SEPARATOR)
        if not first.isdecimal() or len(first) > 9 or int(first) >= len(value):
            return _NOTHING
        item = value[int(first)]
        return item if not rest else _value_at(item, rest)
    at = path.find(_SEPARATOR)
    while at >= 0:
        inner = dict.get(value, path[:at], _NOTHING)
        if inner is not _NOTHING and (found := _value_at(inner, path[at + 1 :])) is not _NOTHING:
            return found
        at = path.find(_SEPARATOR, at + 1)
    return dict.get(value, path, _NOTHING)
