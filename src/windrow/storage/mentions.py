"""What jobs and aliases say about the numbered files of classifiers, so that a lost one is missed."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from windrow.domain.errors import InvalidArtifact
from windrow.domain.names import NAME_GRAMMAR, is_name
from windrow.storage.folder_check import NOTHING, list_folder, read_log
from windrow.storage.job_files import FILES, FOLDERS, JOBS, OWNERS, stored_job_from_json
from windrow.storage.namespace import ALIASES
from windrow.storage.revision import Pointer, alias_from_json

_ANY = re.compile(NAME_GRAMMAR)


@dataclass(frozen=True, slots=True)
class Mention:
    """Something outside a classifier's folder says that it had a number.

    Args:
        number: The number.
        at: When it was there, UTC.
        by: Who says so, as the subject of a sentence.
    """

    number: int
    at: datetime
    by: str


def find_mentions(root: str) -> Mapping[str, Sequence[Mention]]:
    """Return what is said about each classifier, by name; what cannot be read says nothing.

    Args:
        root: The data directory.
    """
    found: dict[str, list[Mention]] = {}
    for name, mention in (*_by_jobs(root), *_by_aliases(root)):
        found.setdefault(name, []).append(mention)
    return found


def _by_jobs(root: str) -> Iterator[tuple[str, Mention]]:
    for job_id in list_folder(root, JOBS, folders=FOLDERS).folders:
        if job_id != OWNERS:
            values = read_log(root, f"{JOBS}/{job_id}", stored_job_from_json, NOTHING, FILES).values
            last = values[max(values)] if values else None
            if last is not None and not isinstance(last, InvalidArtifact):
                job = last.job
                if job.revision is not None and job.finished_at is not None:
                    yield job.model_name, Mention(job.revision, job.finished_at, f"The job {job_id}")


def _by_aliases(root: str) -> Iterator[tuple[str, Mention]]:
    for alias in filter(is_name, list_folder(root, ALIASES, folders=_ANY).folders):
        for value in read_log(root, f"{ALIASES}/{alias}", alias_from_json).values.values():
            if isinstance(value, Pointer):
                target = value.target
                yield target.name, Mention(target.revision or 1, value.at, f"The alias {alias}")
