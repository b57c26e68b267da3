"""The table of foreign endpoints: each format of another server, and the module that holds its rows."""

from collections.abc import Collection
from typing import Final

from windrow.api.foreign import cohere, llamafarm, models, openai, system_one, tei, vllm
from windrow.api.foreign.form import Dialect, ForeignEndpoint

FOREIGN_ENDPOINTS: Final[tuple[ForeignEndpoint, ...]] = (
    *openai.ROWS,
    *system_one.ROWS,
    *models.ROWS,
    *vllm.ROWS,
    *tei.ROWS,
    *cohere.ROWS,
    *llamafarm.ROWS,
)
DIALECTS: Final[tuple[Dialect, ...]] = tuple(dict.fromkeys(each.dialect for each in FOREIGN_ENDPOINTS))


def rows_that_are_on(dialects: Collection[str]) -> tuple[ForeignEndpoint, ...]:
    """Return the rows that a server answers.

    Args:
        dialects: The names of the formats that are on where paths collide.
    """
    return tuple(each for each in FOREIGN_ENDPOINTS if not each.collides or each.dialect.name in dialects)
