"""The recipe: everything besides the rows that decides what a training yields.

Owns the ranges of the training parameters; knows nothing of how training is done.
"""

from dataclasses import dataclass

from windrow.domain.errors import InvalidParameter

DEFAULT_BASE_MODEL = "sentence-transformers/all-MiniLM-L6-v2"
DEFAULT_NUM_ITERATIONS = 20
DEFAULT_BATCH_SIZE = 16
DEFAULT_SEED = 0
NUM_ITERATIONS_RANGE = (0, 1_000)
BATCH_SIZE_RANGE = (2, 1_024)
SEED_RANGE = (0, 2**32 - 1)
MAX_SECONDS_LIMIT = 86_400.0


@dataclass(frozen=True, slots=True)
class BaseModel:
    """A base model, pinned.

    Args:
        id: What the user calls it, for example ``sentence-transformers/all-MiniLM-L6-v2``.
        digest: SHA-256, in hexadecimal, over everything in its folder that decides its output.
        revision: The hub's commit, where it came from one; else ``None``.
    """

    id: str
    digest: str
    revision: str | None = None


@dataclass(frozen=True, slots=True)
class Recipe:
    """The parameters of one training. Made by :func:`check_recipe`.

    Args:
        num_iterations: How long contrastive training goes on; 0 trains the head alone (docs/training.md).
        batch_size: Texts that meet in one contrastive step, at least.
        seed: Starts every random choice.
        max_seconds: The fit ends after about so many seconds, with what it has by then; ``None`` sets no limit.
        cross_validate: Whether encoders are also trained on parts of the rows, to judge them by the others. Without,
            a fit with contrastive training is faster, estimates nothing, and its scores are calibrated by what is
            usual.
    """

    num_iterations: int = DEFAULT_NUM_ITERATIONS
    batch_size: int = DEFAULT_BATCH_SIZE
    seed: int = DEFAULT_SEED
    max_seconds: float | None = None
    cross_validate: bool = True


def check_recipe(recipe: Recipe) -> Recipe:
    """Return ``recipe`` unchanged if each parameter lies in its range.

    Raises:
        InvalidParameter: One does not.
    """
    check_range("num_iterations", recipe.num_iterations, NUM_ITERATIONS_RANGE)
    check_range("batch_size", recipe.batch_size, BATCH_SIZE_RANGE)
    check_range("seed", recipe.seed, SEED_RANGE)
    # Not the other way round: a NaN is no number of seconds either.
    if recipe.max_seconds is not None and not 0 < recipe.max_seconds <= MAX_SECONDS_LIMIT:
        raise InvalidParameter(
            f"max_seconds is {recipe.max_seconds}; it must be more than 0 and at most {MAX_SECONDS_LIMIT:.0f}. "
            "Send such a value or leave it out.",
            {"parameter": "max_seconds", "minimum": 0, "maximum": MAX_SECONDS_LIMIT},
        )
    return recipe


def check_range(name: str, value: int, allowed: tuple[int, int]) -> None:
    """Refuse a parameter outside its range, both ends of which are allowed.

    Raises:
        InvalidParameter: It lies outside.
    """
    low, high = allowed
    if not low <= value <= high:
        raise InvalidParameter(
            f"{name} is {value}; it must lie between {low} and {high}. Send a value in that range or leave it out.",
            {"parameter": name, "minimum": low, "maximum": high},
        )
