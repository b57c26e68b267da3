"""Which files a server may read and write for a client: those below ``WINDROW_FILE_ROOTS``, links followed."""

import glob
import os
from collections.abc import Iterator
from itertools import chain, takewhile
from pathlib import Path
from typing import Final

from windrow.domain.errors import InvalidParameter, PlaceNotAllowed
from windrow.domain.file_prediction import StartPredictFilesRequest
from windrow.domain.store_url import StoreUrl, is_store_url, without_secrets
from windrow.settings import Settings, variable_name

_SETTING: Final = variable_name("file_roots")


def check_places(request: StartPredictFilesRequest, settings: Settings) -> None:
    """Refuse to read or write what lies below no root, or in the data directory.

    Links are followed before it is decided, so that none leads out of a root. Nothing is told of what is on the
    machine: what does not exist is judged like what does.

    Args:
        request: Says what to read and where to write.
        settings: Name the roots and the data directory.

    Raises:
        PlaceNotAllowed: The input or the output may not be touched, or there are no roots.
        InvalidParameter: One of them is no whole path and no address of an object store.
    """
    if not settings.file_roots:
        raise PlaceNotAllowed(
            "This server reads and writes no files for clients, since {setting} names no place for it. Have whoever "
            "runs it name one, or classify the files where they are, with windrow predict.",
            {"setting": _SETTING},
        )
    for parameter in ("input", "output"):
        place = getattr(request, parameter)
        _check_form(parameter, place)
        is_allowed = _is_store_allowed if is_store_url(place) else _is_folder_allowed
        if not is_allowed(place, settings, is_pattern=parameter == "input"):
            raise PlaceNotAllowed(
                "{arg:{parameter}} {place!r} lies below none of the places that the server may read and write for "
                "clients, or in its data directory. Name another place, or have whoever runs the server add this one "
                "to {setting}.",
                {"parameter": parameter, "place": place, "setting": _SETTING},
            )


def _check_form(parameter: str, place: str) -> None:
    if "\0" in place or ".." in place.split("/") or without_secrets(place) != place:
        raise InvalidParameter(
            "{arg:{parameter}} has a part that no place has here, such as `..`. {Send} the place itself.",
            {"parameter": parameter},
        )
    if not place.startswith("/") and not is_store_url(place):
        raise InvalidParameter(
            "{arg:{parameter}} is no whole path like /srv/mails, and no address like s3://BUCKET/PREFIX. {Send} one: "
            "the server has another working directory than you.",
            {"parameter": parameter},
        )


def _is_store_allowed(place: str, settings: Settings, *, is_pattern: bool) -> bool:
    scheme, _, rest = place.strip().partition("://")
    parts = rest.rstrip("/").split("/")
    if "" in parts or "." in parts:
        return False
    fixed = f"{scheme}://{'/'.join(_fixed(parts) if is_pattern else parts)}"
    roots = [str(each) for each in settings.file_roots if isinstance(each, StoreUrl)]
    kept = str(settings.data_dir) if isinstance(settings.data_dir, StoreUrl) else None
    is_apart = kept is None or not (_is_below(fixed, kept) or _is_below(kept, fixed))
    return is_apart and any(_is_below(fixed, root) for root in roots)


def _is_folder_allowed(place: str, settings: Settings, *, is_pattern: bool) -> bool:
    roots = [os.path.realpath(each) for each in settings.file_roots if isinstance(each, Path)]
    kept = os.path.realpath(settings.local_dir)
    # Nothing that is written may stand beside the data directory's own files, or above them.
    if not is_pattern:
        real = os.path.realpath(place)
        return not _is_below(kept, real) and _is_inside(real, roots, kept)
    fixed = "/".join(_fixed(place.split("/"))) or "/"
    # One by one: what lies outside is refused before anything there is looked at.
    return all(_is_inside(os.path.realpath(each), roots, kept) for each in chain((fixed,), _matches(place)))


def _matches(pattern: str) -> Iterator[str]:
    """Yield what a pattern stands for, and what is in the folders among it."""
    yield from (pattern,) if os.path.lexists(pattern) else ()
    # Not by ``Path``, which has no pattern that is a whole path.
    for found in glob.iglob(pattern, recursive=True, include_hidden=True):  # noqa: PTH207
        yield found
        for folder, folders, files in os.walk(found):
            yield from (f"{folder}/{name}" for name in (*folders, *files))


def _fixed(parts: list[str]) -> list[str]:
    """Return the parts of a path before the first one that stands for many."""
    return list(takewhile(lambda part: not glob.has_magic(part), parts))


def _is_inside(real: str, roots: list[str], kept: str) -> bool:
    return any(_is_below(real, root) for root in roots) and not _is_below(real, kept)


def _is_below(place: str, root: str) -> bool:
    return place == root or place.startswith(root.rstrip("/") + "/")
