"""The texts that are asked about: real ones of mixed lengths, or made-up ones, each of them once.

Owns where they come from and how long they are; knows nothing of who is asked.
"""

import json
import random
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from bare import open_tokenizer
from draws import read_lines

MIXED, SHORT, EQUAL = "mixed", "short", "equal"
# In tokens, with the two that every text has. Half of the texts in the sets that were measured have at most 15.
LENGTHS = {SHORT: range(7, 11), EQUAL: range(11, 14)}
MIXED_SHARE = 0.6  # of all texts: no set of texts shares one with another, so that no cache can help
MADE_UP = 70_000


class Supply:
    """Texts in an order, without an end: when all are used up, they come again with their words in another order.

    Args:
        texts: Different ones.
        seed: Of the other orders.
    """

    def __init__(self, texts: Sequence[str], seed: int) -> None:
        self._more = different(texts, random.Random(seed))
        self._ahead: list[str] = []

    def peek(self, count: int) -> list[str]:
        """Return the next texts, and let them be the next ones still."""
        self._ahead += islice(self._more, max(0, count - len(self._ahead)))
        if len(self._ahead) < count:
            raise SystemExit("There are too few different texts for so long a run. Name more sets, or shorten it.")
        return self._ahead[:count]

    def use(self, count: int) -> None:
        """Go on behind the next texts."""
        self.peek(count)
        del self._ahead[:count]


def different(texts: Sequence[str], chance: random.Random) -> Iterator[str]:
    """Yield texts, then texts of the same words, none of them twice; end when chance finds no new one."""
    seen: set[str] = set()
    while new := [text for text in dict.fromkeys(texts) if text not in seen]:
        seen.update(new)
        yield from new
        texts = [" ".join(chance.sample(words, len(words))) for words in map(str.split, texts)]


def supplies(folder: Path | None) -> dict[str, Supply]:
    """Return texts of mixed, of short, and of nearly equal length.

    Args:
        folder: Holds sets: folders of ``*.jsonl`` files, lines of {"text": …}. ``None``: words drawn by chance.
    """
    texts = list(made_up_texts()) if folder is None else read_texts(folder)
    random.Random(0).shuffle(texts)
    mixed = round(len(texts) * MIXED_SHARE)
    chosen = {MIXED: texts[:mixed]}
    lengths = [len(encoding.ids) for encoding in open_tokenizer().encode_batch_fast(texts[mixed:])]
    for name, wanted in LENGTHS.items():
        chosen[name] = [text for text, length in zip(texts[mixed:], lengths, strict=True) if length in wanted]
    return {name: Supply(named, seed) for seed, (name, named) in enumerate(chosen.items())}


def read_texts(folder: Path) -> list[str]:
    """Return the different texts of all sets in a folder."""
    texts = {row["text"] for file in folder.glob("*/*.jsonl") for row in read_lines(file)}
    if not texts:
        raise SystemExit(f"{folder} holds no */*.jsonl. Name the folder that holds the sets.")
    return sorted(texts)


def made_up_texts() -> Iterator[str]:
    """Yield texts of words drawn by chance, as long as those of the public sets: median 15 tokens, 95 % below 54."""
    chance = random.Random(0)
    words = sorted(word for word in open_tokenizer().get_vocab() if word.isascii() and word.isalpha() and len(word) > 2)
    for _ in range(MADE_UP):
        count = min(3 + int(chance.lognormvariate(2.3, 0.95)), 120)
        yield " ".join(chance.choices(words, k=count))


def write_bodies(file: Path, model_name: str, texts: Sequence[str]) -> None:
    """Write one request body a line."""
    file.write_text("".join(json.dumps({"model_name": model_name, "text": text}) + "\n" for text in texts))
