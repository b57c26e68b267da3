"""Propose the encoding of text that is not UTF-8, by what its characters would be; whoever reads it decides.

Libraries for this take letters of German and French for those of Baltic or Czech code pages where a text is short, so
the encodings that spreadsheets write are tried here, and the most usual one of those that fit equally well is taken.
"""

# ruff: noqa: RUF001 - letters and signs of all scripts are what this is about

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

# So much of a file tells how it is written.
_LOOKED_AT_BYTES: Final = 1 << 16
# More than so many implausible characters of a hundred that are not ASCII: it is none of the encodings.
_MOST_IMPLAUSIBLE: Final = 0.3
# What stands for itself in any language.
_SIGNS: Final = frozenset("€‚„…‘’“”‹›•–—™§©«»°®·´¿¡£¥²³µ¼½¾±×\xa0\xadºª¨№、。「」『』〜・！？：；，（）ー～％＆〇")
# Those that stand between two letters of a word.
_IN_WORDS: Final = frozenset("’·´\xad•ー・")
_WESTERN: Final = "äöüßéèêëàâáåãæçíìîïñóòôõøœúùû"
_CENTRAL: Final = "äöüßáéíóúýąćęłńśźżčďěňřšťůžľĺŕôăâîşţőűđ"
_TURKISH: Final = "çğıöşüâîûİ"
_BALTIC: Final = "ąčęėįšųūžāēģīķļņõäöü"
_RUSSIAN: Final = "абвгдеёжзийклмнопрстуфхцчшщъыьэюяіїєґўђјљњћџ"
_GREEK: Final = "αβγδεζηθικλμνξοπρστυφχψωςάέήίόύώ"
_HEBREW: Final = "אבגדהוזחטיךכלםמןנסעףפץצקרשת"
_ARABIC: Final = "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىيپچژگ"
# Characters that nearly every text in Chinese has.
_CHINESE: Final = (
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年"
    "這個們來為國說時會對學後從還開點樣沒問題請無法付款密碼码账户帳單单订訂"
)


@dataclass(frozen=True, slots=True)
class _Candidate:
    encoding: str
    letters: str
    """Those that texts in it mostly have besides those of ASCII, in lower case; empty for East Asian ones."""
    is_latin: bool = True


# In the order in which people have them.
_CANDIDATES: Final = (
    _Candidate("cp1252", _WESTERN),
    _Candidate("cp1250", _CENTRAL),
    _Candidate("cp1254", _TURKISH),
    _Candidate("cp1257", _BALTIC),
    _Candidate("iso8859-2", _CENTRAL),
    _Candidate("mac-roman", _WESTERN),
    _Candidate("cp850", _WESTERN),
    _Candidate("cp1255", _HEBREW, is_latin=False),
    _Candidate("cp1251", _RUSSIAN, is_latin=False),
    _Candidate("koi8-r", _RUSSIAN, is_latin=False),
    _Candidate("cp1253", _GREEK, is_latin=False),
    _Candidate("cp1256", _ARABIC, is_latin=False),
    _Candidate("shift_jis", ""),
    _Candidate("euc_jp", ""),
    _Candidate("euc_kr", ""),
    _Candidate("gb18030", ""),
    _Candidate("big5", ""),
)


def guess_encoding(content: bytes) -> str | None:
    """Return the encoding that text is most likely written in; ``None`` where none of the usual ones fits.

    Args:
        content: Text that is not UTF-8, from the beginning of a line; it may break off anywhere.
    """
    content = content[:_LOOKED_AT_BYTES]
    if (encoding := _guess_utf_16(content)) is not None:
        return encoding
    content = content[: max(content.rfind(b"\n"), content.rfind(b"\r")) + 1] or content
    fits = {each.encoding: fit for each in _CANDIDATES if (fit := _implausible_share(content, each)) is not None}
    best = min(fits, key=lambda name: fits[name], default=None)
    return best if best is not None and fits[best] <= _MOST_IMPLAUSIBLE else None


def _guess_utf_16(content: bytes) -> str | None:
    """Return which UTF-16 it is, if every second byte of most characters is zero, as in any language with spaces."""
    halves = {"utf-16-be": content[::2].count(0), "utf-16-le": content[1::2].count(0)}
    best = max(halves, key=lambda name: halves[name])
    if halves[best] * 10 < len(content) or min(halves.values()) * 10 > halves[best]:
        return None
    text = content[: len(content) // 2 * 2].decode(best, "replace")
    return None if "\0" in text or "\ufffd" in text else best


def _implausible_share(content: bytes, candidate: _Candidate) -> float | None:
    """Return how many of the characters that are not ASCII are implausible, from 0; ``None`` where it is not that."""
    try:
        text = content.decode(candidate.encoding)
    except UnicodeDecodeError as error:
        if error.start < len(content) - 4 or b"\n" in content[error.start :]:
            return None
        text = content[: error.start].decode(candidate.encoding)
    found = list(_with_neighbours(text))
    if not found:
        return None
    if not candidate.letters:
        return sum(_east_asian_penalty(*each) for each in found) / len(found)
    letters = frozenset(candidate.letters + candidate.letters.upper())
    penalty = sum(_penalty(*each, letters) for each in found)
    if candidate.is_latin and sum(1 for _, char, _ in found if char.isalpha()) * 2 > sum(map(str.isalpha, text)):
        penalty += len(found)  # most letters of texts in Latin script are ASCII
    return penalty / len(found)


def _with_neighbours(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield each character that is not ASCII, between the one before and the one after it."""
    padded = f" {text} "
    for place, char in enumerate(padded):
        if not char.isascii():
            yield padded[place - 1], char, padded[place + 1]


def _penalty(before: str, char: str, after: str, letters: Collection[str]) -> float:
    """Return how implausible a character is between its neighbours, from 0 to 1."""
    if char in letters or char == "ß":
        # A capital letter after a small one.
        return 1.0 if char.isupper() and before.islower() else 0.0
    if char in _SIGNS:
        return 1.0 if before.isalpha() and after.isalpha() and char not in _IN_WORDS else 0.0
    return 1.0


def _east_asian_penalty(before: str, char: str, after: str) -> float:
    """Return how implausible an East Asian character is between its neighbours, from -0.5 to 1."""
    if (before.isascii() and before.isalpha()) or (after.isascii() and after.isalpha()):
        return 1.0  # as where letters of a language in Latin script are taken for halves of characters
    if "\u3040" <= char <= "\u30ff" or "\uac00" <= char <= "\ud7a3" or char in _CHINESE:
        return -0.5
    if "\u4e00" <= char <= "\u9fff" or char in _SIGNS or "\uff01" <= char <= "\uff5e":
        return 0.2
    return 1.0
