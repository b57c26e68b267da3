"""Compare how fast this machine encodes with what its kind of processor should give.

The expectation is rough, and on purpose. A token of a base model takes a known number of floating-point operations; the
widest vector instructions of the processor compute a known number of them in a cycle; its clock is what the system
states. Of that product, the encoder should reach two fifths on one core. On the machine that this was measured on (an
AMD EPYC with AVX-512, stated at 2.6 GHz), it reached 113 % while nothing else ran, since the true clock is higher than
the stated one, and 41 % while seven other programs shared its two cores. Of other processors nothing was measured.
Below half of the expectation, a machine is not what it says: virtual cores that are shared, a clock that was lowered.

Source: operations a cycle of each instruction set, https://en.wikipedia.org/wiki/FLOPS#Floating-point_operations_per_clock_cycle_for_various_processors
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from windrow.domain.diagnosis import Check
from windrow.encoders.folder import EncoderFolder
from windrow.encoders.onnx_encoder import Parallelism, TextEncoder

# Single-precision operations in a cycle of one core, by flags in Linux's /proc/cpuinfo; the first that has all.
_OPERATIONS: Final = (
    ("AVX-512", frozenset(("avx512f",)), 64),
    ("AVX2", frozenset(("avx2", "fma")), 32),
    ("NEON", frozenset(("asimd",)), 16),
)
EXPECTED_SHARE: Final = 0.4
_LOW: Final = 0.5
# Of a core's time, what this process got; less says that others want it too.
_BUSY: Final = 0.8
_TEXT: Final = "The invoice for my subscription shows an amount that I do not understand, so please explain it to me."
_TEXTS: Final = 5
_MIN_S: Final = 1.0
_CPUINFO: Final = Path("/proc/cpuinfo")
_MAX_FREQUENCY: Final = Path("/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq")


@dataclass(frozen=True, slots=True)
class Processor:
    """What the system says of a core.

    Args:
        instructions: The widest vector instructions that it has.
        operations: Single-precision operations that they compute in a cycle.
        clock_hz: Its stated clock.
    """

    instructions: str
    operations: int
    clock_hz: float


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast one core encoded.

    Args:
        tokens_per_s: By the clock on the wall, of the fastest batch.
        share: Of the time, what this process got of the core.
    """

    tokens_per_s: float
    share: float


def read_processor(cpuinfo: Path = _CPUINFO, max_frequency: Path = _MAX_FREQUENCY) -> Processor | None:
    """Return what Linux says of the first core; ``None`` where it says too little.

    Args:
        cpuinfo: Its file about processors.
        max_frequency: Its file with the highest clock, in kHz.
    """
    try:
        lines = cpuinfo.read_text("utf-8", "replace").partition("\n\n")[0].splitlines()
    except OSError:
        return None
    said = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    flags = frozenset((said.get("flags") or said.get("Features") or "").split())
    try:
        clock_hz = int(max_frequency.read_text("ascii")) * 1e3
    except (OSError, ValueError):
        try:
            clock_hz = float(said.get("cpu MHz", "")) * 1e6
        except ValueError:
            return None
    found = next((each for each in _OPERATIONS if each[1] <= flags), None)
    return None if found is None else Processor(found[0], found[2], clock_hz)


def expected_tokens_per_s(folder: EncoderFolder, processor: Processor) -> float:
    """Return the tokens that one core should encode in a second.

    Args:
        folder: The base model.
        processor: The core.
    """
    # Four projections of attention and two of the feed-forward part; what attention itself takes is little beside them.
    weights = 4 * folder.hidden_size**2 + 2 * folder.hidden_size * folder.intermediate_size
    operations_per_token = 2 * folder.layers * weights
    return EXPECTED_SHARE * processor.operations * processor.clock_hz / operations_per_token


def measure_speed(
    encoder: TextEncoder, min_s: float = _MIN_S, clock_s: Callable[[], float] = time.perf_counter
) -> Speed:
    """Encode some texts on one core again and again.

    Args:
        encoder: The encoder.
        min_s: How long, in seconds.
        clock_s: A clock that never goes back, in seconds.
    """
    batch = encoder.tokenize([_TEXT] * _TEXTS)
    tokens = sum(len(each.ids) for each in batch)
    adapters = [None] * len(batch)
    encoder.encode(batch, adapters, Parallelism.ONE_CORE)  # opens the session
    began_s, began_cpu_s = clock_s(), time.process_time()
    fastest_s = float("inf")
    while (at_s := clock_s()) - began_s < min_s:
        encoder.encode(batch, adapters, Parallelism.ONE_CORE)
        fastest_s = min(fastest_s, clock_s() - at_s)
    share = (time.process_time() - began_cpu_s) / (clock_s() - began_s)
    return Speed(tokens / fastest_s, min(1.0, share))


def check_speed(folder: EncoderFolder, speed: Speed, processor: Processor | None) -> Iterator[Check]:
    """Say how fast one core encodes, beside what its kind should give.

    Args:
        folder: The base model.
        speed: What was measured.
        processor: What the system says of the core; ``None`` where it says too little.
    """
    facts = f"One core encodes {speed.tokens_per_s:,.0f} tokens a second"
    if processor is None:
        yield Check("speed", "ok", f"{facts}. What this processor should give is not known here.")
        return
    expected = expected_tokens_per_s(folder, processor)
    kind = f"with {processor.instructions} at {processor.clock_hz / 1e9:.1f} GHz, {expected:,.0f} or more are expected"
    if speed.tokens_per_s >= _LOW * expected:
        yield Check("speed", "ok", f"{facts}; {kind}.")
    elif speed.share < _BUSY:
        yield Check(
            "speed",
            "warning",
            f"{facts}; {kind}. Other programs are using the processor: this one got {speed.share:.0%} of a core. Try "
            "again when the machine is idle.",
        )
    else:
        yield Check(
            "speed",
            "warning",
            f"{facts}; {kind}, and this process had the core for itself. See whether the virtual machine shares its "
            "cores, and whether the machine saves power.",
        )
