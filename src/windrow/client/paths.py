"""The paths of a server's endpoints, with names and parameters quoted.

Owns how a verb's names stand in a path and in a query; knows nothing of what is sent there.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlencode

from windrow.domain.listing import Page, Selection
from windrow.domain.names import check_name, read_reference
from windrow.wire.listing import to_cursor

ROOT: Final = "/v1/classifier"
MODELS: Final = f"{ROOT}/models"
ALIASES: Final = f"{ROOT}/aliases"
JOBS: Final = f"{ROOT}/jobs"


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
    """Return the path of a job."""
    return f"{JOBS}/{quote(job_id, safe='', errors='replace')}"


def base_model_path(base_model: str) -> str:
    """Return the path of a base model."""
    return f"{ROOT}/base-models/{quote(base_model, errors='replace')}"


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
