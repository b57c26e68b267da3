"""Scans what was counted for files that cannot be read. Nothing but numbers is lost with them, so none is damage."""

from collections.abc import Iterator

from windrow.disk import read_plain, reason
from windrow.domain.errors import InvalidArtifact
from windrow.storage.files import MAX_BYTES
from windrow.storage.folder_check import CandidateFinding, garbage, list_folder, newer
from windrow.storage.format import is_newer
from windrow.storage.name_check import ScanResult
from windrow.storage.use_store import DAYS, FILES, USAGE, day_use_from_json


def scan_use(root: str) -> ScanResult:
    """Scan what was counted on every day.

    Args:
        root: The data directory.
    """
    return ScanResult(tuple(_scan(root)))


def _scan(root: str) -> Iterator[CandidateFinding]:
    days = list_folder(root, USAGE, folders=DAYS)
    yield from days.candidates
    for day in sorted(days.folders):
        listing = list_folder(root, f"{USAGE}/{day}", files=FILES)
        yield from listing.candidates
        for file in sorted(listing.files):
            path = f"{USAGE}/{day}/{file}"
            try:
                problem = _problem(f"{root}/{path}")
            except InvalidArtifact:
                yield newer("use_newer_format", path, f"How much was used on {day}")
                continue
            if problem:
                what = f"How much was used on {day} cannot be read ({problem}). No classifier is affected."
                yield garbage("use_unreadable", path, what, (path,))


def _problem(path: str) -> str:
    """Return why a file cannot be read; nothing where it can be, or is gone: a newer one stands for it.

    Raises:
        InvalidArtifact: It is of a newer format.
    """
    try:
        day_use_from_json(read_plain(path, MAX_BYTES))
    except FileNotFoundError:
        return ""
    except OSError as error:
        return reason(error)
    except InvalidArtifact as error:
        if is_newer(error):
            raise
        return str(error.facts["why"])
    return ""
