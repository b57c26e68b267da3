"""Find the JSON object that a hosted service's project is: the file itself, or a file of a zip file or a folder."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Final

from windrow.codec.strict import parse_value, why_refused
from windrow.files.decoding import LINE_END
from windrow.files.formats.form import Document
from windrow.files.formats.raw_rows import as_object, kind_of

JsonObject = Mapping[str, Any]
# Of more files of one name, none is looked for in any folder: to compare all with all would take too long.
_MOST_ALIKE: Final = 100


def whole_object(document: Document) -> JsonObject:
    """Return the object that a file is.

    Raises:
        InvalidFile: It is something else.
    """
    values = document.values()
    line, value = next(values, (1, None))
    if next(values, None) is not None or not isinstance(value, dict):
        words = "it is no single JSON object, as this format has it. Export it again, or name another format with "
        words += "{arg:format}."
        raise document.error(words, line, parameter="format")
    return value


def project_object(document: Document, is_project: Callable[[JsonObject], bool]) -> tuple[str, JsonObject]:
    """Return the object of a project, and the path of its file where it is in a zip file or a folder.

    Args:
        document: The project's file, or all its files.
        is_project: Whether an object is a project of the format.

    Raises:
        InvalidFile: There is none, or there are several.
    """
    if not document.is_container:
        return "", whole_object(document)
    names = json_members(document)
    found = [(name, value) for name in names if is_project(value := as_object(member_value(document, name)))]
    if len(found) != 1:
        words = (
            "several files in it are projects, {names:joined}. Keep only one of them."
            if found
            else "none of the JSON files in it is a project of this format. Add the exported project's file."
        )
        raise document.error(words, names=[name for name, _ in found])
    return found[0]


def json_members(document: Document) -> list[str]:
    """Return the paths of a document's JSON files."""
    return [name for name in document.member_names() if name.lower().endswith(".json")]


def member_value(document: Document, name: str) -> Any:
    """Return the JSON value that a file of a document is.

    Raises:
        InvalidFile: It is no JSON.
    """
    text = document.member_text(name).strip()
    try:
        value, end = parse_value(text)
        if end < len(text):
            raise document.error("in {member}, something follows the end of the JSON. Remove it.", member=name)
    except ValueError as error:
        words = "the JSON in {member} is broken: {reason}. Correct it, or leave that file out."
        raise document.error(words, member=name, reason=why_refused(error)) from error
    return value


def member_lines(document: Document, name: str) -> Iterator[tuple[int, Any]]:
    """Yield the values of a file of a document that is JSONL, with their lines.

    Raises:
        InvalidFile: A line is no JSON.
    """
    for line, text in enumerate(LINE_END.split(document.member_text(name)), 1):
        if not (stripped := text.strip()):
            continue
        try:
            value, end = parse_value(stripped)
            if end < len(stripped):
                raise ValueError("something follows the value")
        except ValueError as error:
            words = "the JSON in {member}, line {number}, is broken: {reason}. Correct that line."
            raise document.error(words, member=name, number=line, reason=why_refused(error)) from error
        yield line, value


def list_under(document: Document, value: object, key: str) -> list[Any]:
    """Return a list that an object must have under a key.

    Args:
        document: The file, for messages.
        value: The object.
        key: The key.

    Raises:
        InvalidFile: It has none.
    """
    found = as_object(value).get(key)
    if not isinstance(found, list):
        words = "there is no list under {key!r}, but {kind}. Export the project again."
        raise document.error(words, key=key, kind=kind_of(found))
    return found


@dataclass(frozen=True, slots=True)
class MemberPaths:
    """The paths of a document's files, to be looked up by what a project calls them.

    Args:
        names: The paths.
    """

    names: frozenset[str]
    _alike: dict[str, list[str]] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        for name in self.names:
            self._alike.setdefault(PurePosixPath(name).name, []).append(name)

    def find(self, project: str, location: str) -> str | None:
        """Return the path of a file that a project names; ``None`` where there is none, or the name leads outside.

        It is looked for from the project's folder and from the root.

        Args:
            project: The path of the project's file.
            location: The name.
        """
        path = _inner_path(location)
        if path is None:
            return None
        beside = PurePosixPath(project).parent / path
        return next((name for name in (str(beside), str(path)) if name in self.names), None)

    def find_elsewhere(self, location: str) -> str | None:
        """Return the path of a file in any folder, of which just one may have it; ``None`` as for :meth:`find`.

        Files may be fetched from a container into a folder of their own.

        Args:
            location: The name.
        """
        path = _inner_path(location)
        alike = [] if path is None else self._alike.get(path.name, [])
        if len(alike) > _MOST_ALIKE:
            return None
        found = [name for name in alike if name.endswith(f"/{path}")]
        return found[0] if len(found) == 1 else None


def _inner_path(location: str) -> PurePosixPath | None:
    """Return the path that a project gives; ``None`` where it gives none, or one that leads outside."""
    path = PurePosixPath(location.replace("\\", "/"))
    return None if path.is_absolute() or ".." in path.parts or not path.parts else path


def numbered(values: list[Any]) -> Iterator[tuple[int, Any]]:
    """Yield values with their numbers from 1."""
    return enumerate(values, start=1)
