"""What is wrong with the words after ``windrow``, in a sentence, where Typer only says how it reads them."""

import re
from typing import Any, Final

_THOUSANDS: Final = re.compile(r"[0-9]{1,3}(,[0-9]{3})+")


def usage_text(error: Any) -> str:
    """Return what a usage error says on one line; of a value that is no number, what to write instead.

    Args:
        error: A ``UsageError`` of Typer, which names it nowhere in public.
    """
    words = " ".join(error.format_message().split())
    # What pydantic found is the cause.
    find = getattr(error.__cause__, "errors", None)
    found = find()[0] if find is not None else {}
    kind, _, problem = str(found.get("type", "")).partition("_")
    if kind not in ("float", "int") or problem not in ("parsing", "from_float", "type"):
        return words
    name = words.partition(": ")[0].removeprefix("Invalid value for ")
    typed, is_whole = str(found["input"]), kind == "int"
    meant = _meant(typed, is_whole)
    advice = "Write one." if meant is None else f"Write {meant}."
    return f"{name} is {typed!r}, which is no {'whole ' if is_whole else ''}number. {advice}"


def _meant(typed: str, is_whole: bool) -> str | None:
    """Return the number that a percentage or another country's notation probably means; ``None`` if there is none."""
    text = typed.strip()
    if is_whole:
        return text.replace(",", "") if _THOUSANDS.fullmatch(text) else None
    try:
        number = float(text.rstrip("% ").replace(",", "."))
    except ValueError:
        return None
    return f"{number / 100 if text.endswith('%') else number:.10g}"
