"""JSON that others wrote, as Python's own parser takes it, apart from what would bring it to its limit of recursion."""

import json
from typing import Any

from windrow.codec.shape import MAX_DEPTH, is_too_deep


def parse_lenient(document: bytes | str) -> Any:
    """Parse a JSON document: NaN, a key that stands twice, and bytes in UTF-16 or UTF-32 are taken.

    Args:
        document: The document.

    Raises:
        ValueError: It is no JSON, its bytes are no text, or it is nested too deeply.
    """
    text = document if isinstance(document, str) else document.decode(json.detect_encoding(document), "surrogatepass")
    if is_too_deep(text):
        raise ValueError(f"it is nested more than {MAX_DEPTH} levels deep")
    return json.loads(text)
