"""Read under which licence a base model's folder says that it stands."""

import re
from pathlib import Path
from typing import Final

from windrow.disk import read_plain
from windrow.encoders.folder import EncoderFolder

_CARD: Final = "README.md"
_MAX_CARD_BYTES: Final = 2**20
# The head of a model's card is YAML between two lines of dashes; of it, one plain line is read.
_HEAD: Final = re.compile(r"---\r?\n(.*?)\r?\n---", re.DOTALL)
_LICENCE: Final = re.compile(r"^license:[ \t]*[\"']?([\w.+-]{1,100})[\"']?[ \t\r]*$", re.MULTILINE)


def read_licence(folder: EncoderFolder) -> str | None:
    """Return the licence that a base model's card names, such as ``apache-2.0``.

    Args:
        folder: The base model.

    Returns:
        ``None`` where its folder has no card, or the card names none.
    """
    for directory in dict.fromkeys((folder.root, folder.path)):
        head = _HEAD.match(_read(directory / _CARD))
        if head is not None and (named := _LICENCE.search(head[1])) is not None:
            return named[1]
    return None


def _read(card: Path) -> str:
    try:
        return read_plain(str(card), _MAX_CARD_BYTES, follow=True).decode(errors="replace")
    except (OSError, ValueError):  # it decides nothing
        return ""
