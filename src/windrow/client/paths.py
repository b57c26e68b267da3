"""The paths of a server's endpoints, with names and parameters quoted.

Owns how a verb's names stand in a path and in a query; knows nothing of what is sent there.
"""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from windrow.domain.base_models import check_model_id
from windrow.domain.errors import JobNotFound
from windrow.domain.listing import Page, Selection
from windrow.domain.names import check_name, read_reference
from windrow.wire.listing import to_cursor

ROOT: Final = "/v1/classifier"
MODELS: Final = f"{ROOT}/models"
ALIASES: Final = f"{ROOT}/aliases"
JOBS: Final = f"{ROOT}/jobs"
# Of whatever form the ids are: they cannot mean another path.
_JOB_ID = re.compile("[0-9A-Za-z-]{1,64}")


def model_path(model_name: str) -> str:
    """Return the path of a classifier, or of what else stands for one.

    Raises:
        InvalidName: It breaks the grammar, so that it might mean another path.
    """
    return f"{MODELS}/{read_reference(model_name)}"


def alias_path(alias: str) -> str:
    """Return the path of an alias.

    Raises:
        InvalidName: It breaks the grammar, so that it might mean another path.
    """
    return f"{ALIASES}/{check_name(alias)}"


def job_path(job_id: str) -> str:
    """Return the path of a job.

    Raises:
        JobNotFound: No job can have such an id, and it might mean another path.
    """
    if _JOB_ID.fullmatch(job_id) is None:
        raise JobNotFound(f"There is no job {job_id[:64]!r}. List the jobs to see their ids.", {"job": job_id[:64]})
    return f"{JOBS}/{job_id}"


def base_model_path(base_model: str) -> str:
    """Return the path of a base model.

    Raises:
        InvalidParameter: It is no base model's id, so that it might mean another path.
    """
    check_model_id(base_model)
    return f"{ROOT}/base-models/{base_model}"


def with_query(path: str, **parameters: str | int | bool | None) -> str:
    """Return a path with those parameters that are neither ``None`` nor ``False``."""
    said = {
        name: "true" if value is True else value
        for name, value in parameters.items()
        if value is not None and value is not False
    }
    return f"{path}?{urlencode(said, errors='replace')}" if said else path


def page_parameters(page: Page) -> Mapping[str, str | int | bool | None]:
    """Return the parameters that ask for a part of the list of classifiers.

    Raises:
        InvalidName: What it starts after breaks the grammar.
    """
    return {
        **selection_parameters(page.selection),
        "sort": page.sort or None,
        "limit": page.limit,
        "cursor": None if page.after is None else to_cursor(check_name(page.after)),
        "deleted": page.deleted,
        "full": True,
    }


def selection_parameters(selection: Selection) -> Mapping[str, str | int | bool | None]:
    """Return the parameters that choose classifiers."""
    return {
        "task": selection.task,
        "prefix": selection.prefix or None,
        "tag": selection.tag,
        "base_model": selection.base_model,
    }
