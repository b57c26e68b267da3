"""What the benches train on: made-up tickets, and draws of a few rows a class from labelled sets on disk.

Owns how rows are drawn and which measure belongs to a set; knows nothing of who trains on them.
"""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mails import mails

# Words are shared across the labels on purpose: tickets that the encoder alone tells apart need no adapter, and a fit
# without one is no comparison.
TICKETS = {
    "billing": (
        "Why was I charged twice this month?",
        "The export I paid for is not on my invoice",
        "How do I get a refund for the extra seats?",
        "My card was declined but the money is gone",
        "The price on the login page is not what I pay",
        "You renewed my plan after I had cancelled it",
        "Where can I change the address on my bills?",
        "The discount code did nothing at checkout",
    ),
    "bug": (
        "The invoice page crashes when I open it",
        "Nothing happens when I click on pay",
        "Search finds no tickets since yesterday",
        "Why do I get error 500 on the export?",
        "The app logs me out every few minutes",
        "My plan shows zero seats although we have five",
        "Uploads stop at ninety percent",
        "The refund button is greyed out for everyone",
    ),
    "question": (
        "How do I export all tickets?",
        "Can I pay once a year instead of monthly?",
        "Is there an app for tablets?",
        "Where do I find last year's invoices?",
        "How many seats does the small plan have?",
        "Can two people use one login?",
        "Do you store card numbers?",
        "What happens to uploads when a plan ends?",
    ),
}
MATTHEWS = frozenset({"amazon_cf_en"})  # so unbalanced that accuracy says little

Rows = list[dict[str, str]]
_TEST_SEED = 1_000
ALL_ROWS = 0  # in place of a number of shots


@dataclass(frozen=True, slots=True)
class Draw:
    """Rows to train on and rows to ask about.

    Args:
        ds: The set's name.
        shots: Training rows a class.
        seed: Of the draw.
        train: {"text", "label"} each.
        test: The same; empty where only time is measured.
    """

    ds: str
    shots: int
    seed: int
    train: Rows
    test: Rows

    @property
    def key(self) -> tuple[str, int, int]:
        """What tells it from other draws."""
        return self.ds, self.shots, self.seed


def tickets() -> Rows:
    """Return 24 short made-up tickets in 3 classes."""
    return [{"text": text, "label": label} for label, texts in TICKETS.items() for text in texts]


def draw_tickets() -> Draw:
    """Return the tickets as a draw without a test."""
    return Draw("tickets", len(TICKETS["bug"]), 0, tickets(), [])


def draw_mails(rows: int, seed: int, test_rows: int) -> Draw:
    """Return made-up e-mails, with others to ask about."""
    return Draw("mails", rows, seed, mails(rows, seed), mails(test_rows, _TEST_SEED + seed))


def draw(folder: Path, shots: int, seed: int, test_rows: int | None) -> Draw:
    """Draw ``shots`` rows a class from ``folder/train.jsonl``, and the first ``test_rows`` of the shuffled test rows.

    ``ALL_ROWS`` takes every row there is. The order of every step decides the result: one generator goes through the
    labels in sorted order, samples each label's rows in the file's order, and shuffles what came out. The test rows are
    shuffled with seed 0.
    """
    rows, chance = read_lines(folder / "train.jsonl"), random.Random(seed)
    train: Rows = []
    for label in sorted({row["label"] for row in rows}):
        own = [row for row in rows if row["label"] == label]
        train += chance.sample(own, len(own) if shots == ALL_ROWS else shots)
    chance.shuffle(train)
    test = read_lines(folder / "test.jsonl")
    random.Random(0).shuffle(test)
    return Draw(folder.name, shots, seed, train, test[:test_rows])


def draw_made_up(rows: int, seed: int, test_rows: int) -> Draw:
    """Return made-up texts of 6 to 20 words in 20 classes, a quarter of which tell the class, with others to ask about.

    No text comes twice, or hardly; they are for time and memory with many rows.
    """
    chance = random.Random(seed)
    made = list(_made_up(chance, rows + test_rows))
    return Draw("made_up", rows, seed, made[:rows], made[rows:])


def _made_up(chance: random.Random, count: int) -> Iterator[dict[str, str]]:
    words = ["".join(chance.choices("abcdefghiklmnoprstuvw", k=6)) for _ in range(1_000)]
    own = [chance.sample(words, 50) for _ in range(20)]
    for _ in range(count):
        label = chance.randrange(len(own))
        length = chance.randint(6, 20)
        text = " ".join(chance.choice(own[label] if chance.random() < 0.25 else words) for _ in range(length))
        yield {"text": text, "label": f"label_{label}"}


def read_lines(path: Path) -> list[dict[str, str]]:
    """Read a file of one JSON object a line."""
    with path.open(encoding="utf-8") as file:  # not splitlines(): it would also break at U+2028, inside a text
        return [json.loads(line) for line in file]


def measure_of(ds: str) -> str:
    """Return which figure is quoted for a set: ``acc`` or ``mcc``."""
    return "mcc" if ds in MATTHEWS else "acc"
