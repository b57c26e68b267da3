"""Describe the environment that decides a training's rounding: libraries, Python, platform and processor.

The description must not identify the machine: no host, no user, no path.
"""

import platform
from importlib.metadata import version
from pathlib import Path

RECORDED_LIBRARIES = ("windrow", "numpy", "scipy", "scikit-learn", "onnxruntime", "tokenizers", "torch")
_CPU_INFO = Path("/proc/cpuinfo")


def describe_environment() -> dict[str, str]:
    """Return this process's environment: each library's version, ``python``, ``platform`` and ``cpu``, by name.

    Call it in a training process only: it loads torch.
    """
    return {library: version(library) for library in RECORDED_LIBRARIES} | {
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "cpu": _describe_cpu(),
    }


def read_cpu_name(cpu_info: Path = _CPU_INFO) -> str:
    """Return the processor's name, or the architecture's where the system gives no other.

    Args:
        cpu_info: Linux's description of the processors.
    """
    try:
        with cpu_info.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                field, _, value = line.partition(":")
                if field.strip() == "model name" and value.strip():
                    return value.strip()
    except OSError:
        pass  # not Linux
    return platform.processor() or platform.machine()


def _describe_cpu() -> str:
    import torch

    # One entry for all three: the name alone says little, since virtual machines hide which processor it is and what
    # it can do; and an entry more would make each record in memory 200 bytes larger.
    instructions, threads = torch.backends.cpu.get_cpu_capability(), torch.get_num_threads()
    return f"{read_cpu_name()}, {instructions}, {threads} thread{'s'[: threads != 1]}"
