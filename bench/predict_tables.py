"""Tables of the predict bench's blocks, in Markdown.

Owns medians, ratios and columns; knows nothing of how a block was measured.
"""

import statistics
from collections.abc import Iterable, Sequence

from predict_blocks import ALONE, BATCH_SIZE, FITTING, IDLE, REPEATED, SATURATION, THROUGHPUT, Block
from predict_sides import ADAPTED, BARE, BARE_STILL, BARE_TWO, BARES, EMPTY, SETFIT, WINDROW
from predict_texts import EQUAL, MIXED, SHORT

NOTHING = "-"
TITLES = {
    WINDROW: "Windrow",
    ADAPTED: "Windrow, with an adapter",
    BARE: "bare, 1 caller, 2 threads that spin",
    BARE_STILL: "bare, 1 caller, 2 threads",
    BARE_TWO: "bare, 2 callers, 1 thread each",
    SETFIT: "SetFit in FastAPI",
    "regression": "sentence-transformers + logistic regression in FastAPI",
    "litserve": "sentence-transformers + logistic regression in LitServe",
    EMPTY: "FastAPI that classifies nothing",
}


def tables(blocks: Sequence[Block]) -> str:
    """Return the tables in Markdown; each figure is the median over the rounds, each ratio one of two medians."""
    parts = [idle_table(blocks), throughput_table(blocks), tail_table(blocks), failures(blocks)]
    return "\n\n".join(part for part in parts if part)


def idle_table(blocks: Sequence[Block]) -> str:
    """Return the latency of a text that comes alone."""
    chosen = [block for block in blocks if block.measure == IDLE]
    p50 = {key: middle(block.result.p50_ms for block in group) for key, group in grouped(chosen).items()}
    lines = []
    for side in unique(block.side for block in chosen):
        cells = [TITLES[side]]
        for texts in (MIXED, SHORT):
            ceiling = min((p50[bare, texts] for bare in BARES if (bare, texts) in p50), default=None)
            own = p50[side, texts]
            cells += [f"{own:.2f} ms", ratio(own, ceiling), ratio(p50.get((SETFIT, texts)), own)]
        lines.append(cells)
    if not lines:
        return ""
    rate = chosen[0].rate_per_s
    title = f"**A single text, idle server**: p50 at {rate:g} texts a second; bare: the faster one."
    columns = ["mixed lengths", "times bare", "SetFit takes", "short texts", "times bare", "SetFit takes"]
    return f"{title}\n\n{table(['side', *columns], lines)}"


def throughput_table(blocks: Sequence[Block]) -> str:
    """Return how many texts a second each side takes."""
    chosen = [block for block in blocks if block.measure == THROUGHPUT]
    rates = {key: middle(block.result.requests_per_s for block in group) for key, group in grouped(chosen).items()}
    sizes = {(block.side, block.texts): block.batch_size for block in chosen}
    lines = []
    for side in unique(block.side for block in chosen):
        cells = [TITLES[side]]
        for texts in (EQUAL, MIXED):
            size = sizes[side, texts]
            own = rates[side, texts]
            cells.append(f"{own:.0f}/s" + (f" (batches of {size})" if size else ""))
            cells += [percent(own, rates.get((bare, texts))) for bare in (BARE, BARE_TWO)]
        lines.append(cells)
    if not lines:
        return ""
    columns = ["of bare, 1 caller", "of bare, 2 callers"]
    title = "**Throughput**: clients that ask for one text at a time, at once; bare: batches of the best size."
    main = table(["side", "equal lengths", *columns, "mixed lengths", *columns], lines)
    return "\n\n".join(filter(None, [title, main, sizes_table(blocks), repeated_line(blocks)]))


def sizes_table(blocks: Sequence[Block]) -> str:
    """Return how the size of the bare sides' batches was chosen: by the best block of each."""
    chosen = [block for block in blocks if block.measure == BATCH_SIZE]
    sizes = sorted({block.batch_size or 1 for block in chosen})
    lines = []
    for (side, texts), group in grouped(chosen).items():
        rates = [max(block.result.requests_per_s for block in group if block.batch_size == size) for size in sizes]
        lines.append([f"{TITLES[side]}, {texts} lengths", *(f"{rate:.0f}/s" for rate in rates)])
    return table(["batches of", *map(str, sizes)], lines) if lines else ""


def repeated_line(blocks: Sequence[Block]) -> str:
    """Return the throughput when the same texts come again and again."""
    rates = [block.result.requests_per_s for block in blocks if block.measure == REPEATED]
    return f"Windrow when the same few texts come again and again: {middle(rates):.0f}/s." if rates else ""


def tail_table(blocks: Sequence[Block]) -> str:
    """Return p50 and p99 of a busy server."""
    saturation = [block.result.requests_per_s for block in blocks if block.measure == SATURATION]
    lines = []
    for measure, title in ((ALONE, "alone"), (FITTING, "while fits run")):
        chosen = [block for block in blocks if block.measure == measure]
        if chosen:
            p50, p99 = (middle(getattr(block.result, name) for block in chosen) for name in ("p50_ms", "p99_ms"))
            rate = middle(block.rate_per_s or 0 for block in chosen)
            fits = sum(block.fits or 0 for block in chosen)
            lines.append([title, f"{rate:.0f}/s", f"{p50:.1f} ms", f"{p99:.1f} ms", f"{p99 / p50:.1f}", str(fits)])
    if not lines:
        return ""
    title = f"**A busy Windrow**: mixed lengths, sent at a share of the {middle(saturation):.0f}/s that it takes."
    return f"{title}\n\n{table(['', 'rate', 'p50', 'p99', 'p99 / p50', 'fits'], lines)}"


def failures(blocks: Sequence[Block]) -> str:
    """Return which blocks had requests that failed: their figures mean little."""
    failed = [
        f"{block.measure}, {block.texts}, {TITLES[block.side]}, round {block.round}: {block.result.failed}"
        for block in blocks
        if block.result.failed
    ]
    return "**Failed requests**: " + "; ".join(failed) if failed else "No request failed."


def grouped(blocks: Iterable[Block]) -> dict[tuple[str, str], list[Block]]:
    """Return blocks by side and texts."""
    groups: dict[tuple[str, str], list[Block]] = {}
    for block in blocks:
        groups.setdefault((block.side, block.texts), []).append(block)
    return groups


def table(columns: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    rows = [columns, ["---"] * len(columns), *lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def middle(values: Iterable[float]) -> float:
    """Return the median."""
    return statistics.median(list(values))


def ratio(above: float | None, below: float | None) -> str:
    """Return how many times one figure is another, if both are there."""
    return NOTHING if above is None or below is None else f"{above / below:.2f} x"


def percent(part: float, whole: float | None) -> str:
    """Return one figure as a share of another, if that is there."""
    return NOTHING if whole is None else f"{100 * part / whole:.0f} %"


def unique(values: Iterable[str]) -> list[str]:
    """Return different values in the order of their first."""
    return list(dict.fromkeys(values))
