"""What the predict bench keeps: one value a block, and the file of them.

Owns the form of a raw line; knows nothing of how it was measured or is shown.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from load import Result

IDLE, BATCH_SIZE, THROUGHPUT, REPEATED = "idle", "batch_size", "throughput", "repeated"
SATURATION, ALONE, FITTING = "saturation", "alone", "fitting"


@dataclass(frozen=True, slots=True)
class Block:
    """One block of one side. ``None`` stands for what does not apply.

    Args:
        measure: What it belongs to.
        texts: Which texts: ``mixed``, ``short`` or ``equal``.
        side: Who was asked.
        round: Counts from 0; the blocks of a round stand beside each other.
        result: What came out.
        batch_size: Texts in a batch, of a bare side.
        rate_per_s: Requests a second that were sent, in an open loop.
        fits: How many fits were finished meanwhile.
    """

    measure: str
    texts: str
    side: str
    round: int
    result: Result
    batch_size: int | None = None
    rate_per_s: float | None = None
    fits: int | None = None


def append_block(path: Path, block: Block) -> None:
    """Append a block to a file, as one JSON object on a line."""
    line = asdict(block)
    line |= line.pop("result")
    known = {name: value for name, value in line.items() if value is not None and str(value) != "nan"}
    with path.open("a") as file:
        file.write(json.dumps(known) + "\n")
