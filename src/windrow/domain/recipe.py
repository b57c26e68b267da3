"""The recipe: everything besides the rows that decides what a training yields."""

from dataclasses import dataclass
from typing import Annotated

from windrow.domain.errors import InvalidParameter
from windrow.domain.values import Schema

# The hub's own rule (huggingface_hub.utils.validate_repo_id), with the owner made compulsory.
MODEL_ID_GRAMMAR = "[A-Za-z0-9_][A-Za-z0-9._-]{0,94}/[A-Za-z0-9_][A-Za-z0-9._-]{0,94}"
ModelId = Annotated[str, Schema(pattern=f"^{MODEL_ID_GRAMMAR}$")]
DEFAULT_BASE_MODEL = "sentence-transformers/all-MiniLM-L6-v2"
# For texts that are not, or not only, in English; their weights come as safetensors.
MULTILINGUAL_BASE_MODELS = (
    "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2",
    "intfloat/multilingual-e5-small",
)
DEFAULT_NUM_ITERATIONS = 20
DEFAULT_BATCH_SIZE = 16
DEFAULT_SEED = 0
NUM_ITERATIONS_RANGE = (0, 1_000)
BATCH_SIZE_RANGE = (2, 1_024)
SEED_RANGE = (0, 2**32 - 1)
MAX_SECONDS_LIMIT = 86_400.0


@dataclass(frozen=True, slots=True)
class BaseModel:
    """A base model, pinned."""

    id: str
    """What a fit calls it, for example ``sentence-transformers/all-MiniLM-L6-v2``."""
    digest: str
    """SHA-256, in hexadecimal, over everything in its folder that decides its output; empty where it cannot be used."""
    revision: str | None = None
    """The hub's commit; ``None`` where it came from no hub."""


# Without slots: a record is a recipe and more, and Python lays out no class on two that have some.
@dataclass(frozen=True, kw_only=True)
class TrainingParameters:
    """What decides how long a training goes on, and how."""

    base_model: ModelId = DEFAULT_BASE_MODEL
    """Id of the base model, the encoder to build on."""
    num_iterations: Annotated[int, Schema(minimum=NUM_ITERATIONS_RANGE[0], maximum=NUM_ITERATIONS_RANGE[1])] = (
        DEFAULT_NUM_ITERATIONS
    )
    """How long the encoder learns from the training texts, 0 to 1,000: every 7 make one pass in which each text meets
    the others (every 4, above 256 texts of more than 40 labels); 0 trains the head alone, which is quick.
    """
    batch_size: Annotated[int, Schema(minimum=BATCH_SIZE_RANGE[0], maximum=BATCH_SIZE_RANGE[1])] = DEFAULT_BATCH_SIZE
    """Texts that meet in one contrastive step, at least, 2 to 1,024; up to 256, a step takes 256 all the same."""
    seed: Annotated[int, Schema(minimum=SEED_RANGE[0], maximum=SEED_RANGE[1])] = DEFAULT_SEED
    """Starts every random choice; the same request with the same seed gives the same result."""


@dataclass(frozen=True, kw_only=True)
class Recipe(TrainingParameters):
    """The parameters of one training. Checked by :func:`check_recipe`."""

    max_seconds: Annotated[float | None, Schema(exclusiveMinimum=0, maximum=MAX_SECONDS_LIMIT)] = None
    """Ends the training after about so many seconds, with what was learned by then; ``None`` sets no limit."""
    cross_validate: bool = True
    """Whether the encoder is also trained on parts of the rows, to evaluate it on the others: takes three times as
    long, estimates the accuracy and calibrates scores. With 0 iterations that costs nothing and is always done.
    """


def check_training_parameters(parameters: TrainingParameters) -> None:
    """Refuse a parameter that lies outside its range.

    Raises:
        InvalidParameter: One does.
    """
    check_range("num_iterations", parameters.num_iterations, NUM_ITERATIONS_RANGE)
    check_range("batch_size", parameters.batch_size, BATCH_SIZE_RANGE)
    check_range("seed", parameters.seed, SEED_RANGE)


def check_recipe(recipe: Recipe) -> None:
    """Refuse a parameter that lies outside its range.

    Raises:
        InvalidParameter: One does.
    """
    check_training_parameters(recipe)
    # Not the other way round: a NaN is no number of seconds either.
    if recipe.max_seconds is not None and not 0 < recipe.max_seconds <= MAX_SECONDS_LIMIT:
        raise InvalidParameter(
            "{arg:max_seconds} is {value}; it must be more than 0 and at most {maximum:.0f}. {Send} such a value or "
            "leave it out.",
            {"parameter": "max_seconds", "value": recipe.max_seconds, "minimum": 0, "maximum": MAX_SECONDS_LIMIT},
        )


def check_range(name: str, value: int, allowed: tuple[int, int]) -> None:
    """Refuse a parameter outside its range, both ends of which are allowed.

    Raises:
        InvalidParameter: It lies outside.
    """
    low, high = allowed
    if not low <= value <= high:
        raise InvalidParameter(
            "{arg:{parameter}} is {value}; it must lie between {minimum} and {maximum}. {Send} a value in that range "
            "or leave it out.",
            {"parameter": name, "value": value, "minimum": low, "maximum": high},
        )
