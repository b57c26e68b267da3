"""Choose the prompt that a base model wants before every text."""

import re
from collections.abc import Mapping
from typing import Any, Final

# The authors of E5 ask for it wherever texts are compared with each other or classified, but not every copy of these
# models has it in its config. Their variants for instructions want other words, and are none of these.
E5_PROMPT: Final = "query: "
_E5: Final = re.compile(r"intfloat/(multilingual-)?e5-(small|base|large)(-v2)?")


def choose_prompt(config: Mapping[str, Any], model_id: str) -> str:
    """Return what stands before every text; empty for nothing.

    Args:
        config: The content of ``config_sentence_transformers.json``. Its ``default_prompt_name`` chooses one of its
            ``prompts``; the others are for searching, and are not used.
        model_id: The base model's id, by which those of the E5 family are known.

    Raises:
        ValueError: The default prompt is not among the prompts, or is no text.
    """
    name, prompts = config.get("default_prompt_name"), config.get("prompts")
    if name is None:
        return E5_PROMPT if _E5.fullmatch(model_id) else ""
    for key, prompt in prompts.items() if isinstance(prompts, Mapping) else ():
        if key == name and isinstance(prompt, str):
            return prompt
    raise ValueError(f"names the default prompt {name!r}, which is not among its prompts")
