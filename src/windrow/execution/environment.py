"""Describe the environment that decides a training's rounding: libraries, Python, platform and processor.

The description must not identify the machine: no host, no user, no path.
"""

import platform
import sys
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from windrow.arrays import Precision
from windrow.settings import read_environment

RECORDED_LIBRARIES = ("windrow", "numpy", "scipy", "scikit-learn", "onnxruntime", "tokenizers", "torch")
_CPU_INFO = Path("/proc/cpuinfo")
# What torch calls each set of instructions, the best one first, and what Linux calls those that it needs for it.
_INSTRUCTIONS = {
    "AVX512": {"avx512vl", "avx512bw", "avx512dq", "fma"},
    "AVX2": {"avx2", "fma"},
}
# What Linux calls the instructions that multiply bfloat16.
_BFLOAT16_FLAGS = {"avx512_bf16", "amx_bf16"}


def describe_environment(threads: int, precision: Precision) -> dict[str, str]:
    """Return this process's environment: each library's version, ``python``, ``platform`` and ``cpu``, by name.

    An installation without torch, which fits heads alone, has no version of it.

    Call it in a training process only: on some machines it loads torch.

    Args:
        threads: Those that the task is to use.
        precision: The type of the operands of matrix products, as the task says.
    """
    return _versions(RECORDED_LIBRARIES) | {
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "cpu": _describe_cpu(threads, precision),
    }


def describe_encoding() -> dict[str, str]:
    """Return what decides how texts are encoded in this process, by name as :func:`describe_environment` does.

    It loads nothing: a classifier without rows is made where predictions are.
    """
    libraries = ("windrow", "numpy", "onnxruntime", "tokenizers")
    return _versions(libraries) | {
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "cpu": read_cpu_name(),
    }


def read_cpu_name(cpu_info: Path = _CPU_INFO) -> str:
    """Return the processor's name, or the architecture's where the system gives no other.

    Args:
        cpu_info: Linux's description of the processors.
    """
    return _read_field("model name", cpu_info) or platform.processor() or platform.machine()


def read_instructions(cpu_info: Path = _CPU_INFO) -> str | None:
    """Return the instructions that torch would use, in its words, without loading it; ``None`` if that takes torch.

    Args:
        cpu_info: Linux's description of the processors.
    """
    # torch knows the instructions of other processors in other ways, and this variable overrides them.
    if platform.machine() != "x86_64" or "ATEN_CPU_CAPABILITY" in read_environment():
        return None
    flags = set(_read_field("flags", cpu_info).split())
    if not flags:
        return None
    return next((name for name, needed in _INSTRUCTIONS.items() if needed <= flags), "DEFAULT")


def choose_precision(threads: int, cpu_info: Path = _CPU_INFO) -> Precision:
    """Return the type of the operands of contrastive training's matrix products on processors like this machine's.

    ``bfloat16`` where the processor multiplies it natively, which takes about half the time, and more than one core
    trains; else ``float32``.

    Args:
        threads: The threads of a training, one for each core.
        cpu_info: Linux's description of the processors.

    Source: docs/adr/0009, measured.
    """
    flags = set(_read_field("flags", cpu_info).split())
    is_native = bool(flags & _BFLOAT16_FLAGS) and read_instructions(cpu_info) == "AVX512"
    return "bfloat16" if is_native and threads > 1 else "float32"


# Each training writes them down, and finding one takes half a millisecond.
@cache
def _versions(libraries: tuple[str, ...]) -> dict[str, str]:
    """Return the versions of those libraries that are installed."""
    found = {}
    for library in libraries:
        with suppress(PackageNotFoundError):
            found[library] = version(library)
    return found


def _describe_cpu(threads: int, precision: Precision) -> str:
    # Loading torch takes two seconds, and a fit of the head alone has no other use for it.
    instructions = None if "torch" in sys.modules else read_instructions()
    if instructions is None:
        with suppress(ModuleNotFoundError):
            import torch

            instructions = torch.backends.cpu.get_cpu_capability()
    # One entry for all: the name alone says little, since virtual machines hide which processor it is and what
    # it can do; and an entry more would make each record in memory 200 bytes larger.
    parts = [read_cpu_name(), instructions or "", f"{threads} thread{'s'[: threads != 1]}"]
    if precision != "float32":
        parts.append(precision)
    return ", ".join(filter(None, parts))


@cache
def _read_field(name: str, cpu_info: Path) -> str:
    """Return the first value of a field that is not empty; "" without one."""
    try:
        with cpu_info.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                field, _, value = line.partition(":")
                if field.strip() == name and value.strip():
                    return value.strip()
    except OSError:
        pass  # not Linux
    return ""
