"""The form of an API key."""

import re
from typing import Final

from windrow.domain.access import KEY_PREFIX
from windrow.domain.errors import InvalidParameter
from windrow.domain.secret import Secret

_KEY: Final = re.compile(rf"{KEY_PREFIX}[A-Za-z0-9_-]{{1,128}}")
# As many random characters as 32 bytes have in base64, the densest form; and so many different ones that nobody typed
# them: of 43 random hexadecimal digits, fewer occur once in a million times.
_STRONG: Final = re.compile(rf"{KEY_PREFIX}[A-Za-z0-9_-]{{43,128}}")
_MIN_DIFFERENT: Final = 10


def is_key(text: str) -> bool:
    """Whether a text has the form of an API key."""
    return _KEY.fullmatch(text) is not None


def is_strong_key(text: str) -> bool:
    """Whether a text has the form of an API key that holds 32 random bytes, in hexadecimal or base64."""
    return _STRONG.fullmatch(text) is not None and len(set(text.removeprefix(KEY_PREFIX))) >= _MIN_DIFFERENT


def checked_key(text: str, source: str) -> Secret:
    """Return an API key that was given.

    Args:
        text: What was given; white space around it does not count.
        source: What it was given by, for the error, which never shows the text.

    Raises:
        InvalidParameter: It has another form.
    """
    if not is_key(text.strip()):
        raise InvalidParameter(
            "What {source} holds is no API key: one begins with {prefix}. Copy it as it was shown when it was created.",
            {"parameter": "api_key", "source": source, "prefix": KEY_PREFIX},
        )
    return Secret(text.strip())
