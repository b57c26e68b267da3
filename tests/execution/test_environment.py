"""What a record says of the environment is what decides roundings, and nothing about whose machine it is."""

import getpass
import platform
import socket
import sys
from pathlib import Path

import numpy
import pytest

from windrow.execution.environment import (
    RECORDED_LIBRARIES,
    choose_precision,
    describe_environment,
    read_cpu_name,
    read_instructions,
)

ARM = "processor\t: 0\nBogoMIPS\t: 243.75\nCPU part\t: 0xd40\n"


def test_libraries_python_platform_and_processor_are_described() -> None:
    found = describe_environment(2, "float32")
    assert list(found) == [*RECORDED_LIBRARIES, "python", "platform", "cpu"]
    assert found["numpy"] == numpy.__version__
    assert found["python"] == platform.python_version()
    assert found["platform"].split() == [platform.system(), platform.machine()]
    assert all(found.values())


def test_an_environment_stays_the_same() -> None:
    assert describe_environment(2, "float32") == describe_environment(2, "float32")


@pytest.mark.slow
def test_the_processor_is_described_with_instructions_and_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX2")
    described = [describe_environment(threads, "float32")["cpu"] for threads in (1, 16)]
    assert described == [f"{read_cpu_name()}, AVX2, 1 thread", f"{read_cpu_name()}, AVX2, 16 threads"]
    assert describe_environment(16, "bfloat16")["cpu"].endswith(", 16 threads, bfloat16")


@pytest.mark.parametrize(
    ("flags", "threads", "precision"),
    [
        ("fma avx2 avx512f avx512dq avx512bw avx512vl avx512_bf16", 2, "bfloat16"),
        ("fma avx2 avx512f avx512dq avx512bw avx512vl amx_bf16", 8, "bfloat16"),
        ("fma avx2 avx512f avx512dq avx512bw avx512vl avx512_bf16", 1, "float32"),
        ("fma avx2 avx512f avx512dq avx512bw avx512vl", 2, "float32"),
        ("fma avx2 avx512_bf16", 2, "float32"),
        ("", 2, "float32"),
    ],
)
def test_products_are_in_bfloat16_where_the_processor_multiplies_it(
    flags: str, threads: int, precision: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    info = tmp_path / "cpuinfo"
    info.write_text(f"processor\t: 0\nflags\t\t: {flags}\n")
    assert choose_precision(threads, info) == precision
    assert choose_precision(threads, tmp_path / "there is none") == "float32"


def test_torch_that_is_told_its_instructions_stays_with_float32(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "cpuinfo"
    info.write_text("flags\t\t: fma avx2 avx512f avx512dq avx512bw avx512vl avx512_bf16\n")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "avx2")
    assert choose_precision(2, info) == "float32"


@pytest.mark.slow
@pytest.mark.skipif(platform.machine() != "x86_64" or platform.system() != "Linux", reason="known by torch alone")
def test_the_processor_is_described_alike_without_torch(monkeypatch: pytest.MonkeyPatch) -> None:

    with_torch = describe_environment(2, "float32")["cpu"]
    monkeypatch.delitem(sys.modules, "torch")
    assert describe_environment(2, "float32")["cpu"] == with_torch
    assert "torch" not in sys.modules


@pytest.mark.parametrize(
    ("flags", "instructions"),
    [
        ("fpu sse4_2", "DEFAULT"),
        ("fpu fma avx avx2", "AVX2"),
        ("fpu avx avx2", "DEFAULT"),
        ("fma avx2 avx512f avx512dq", "AVX2"),
        ("fma avx2 avx512f avx512dq avx512bw avx512vl", "AVX512"),
        (None, None),
    ],
)
def test_instructions_have_torchs_words(
    flags: str | None, instructions: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    info = tmp_path / "cpuinfo"
    info.write_text("processor\t: 0\n" if flags is None else f"processor\t: 0\nflags\t\t: {flags}\n\nflags\t\t: a\n")
    assert read_instructions(info) == instructions


def test_where_torch_is_told_its_instructions_or_knows_others_torch_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "cpuinfo"
    info.write_text("flags\t\t: fma avx2\n")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "default")
    assert read_instructions(info) is None
    monkeypatch.delenv("ATEN_CPU_CAPABILITY")
    assert read_instructions(info) == "AVX2"
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert read_instructions(info) is None


def test_nothing_says_whose_machine_it_is() -> None:
    words = {word.strip(",") for value in describe_environment(2, "float32").values() for word in value.split()}
    assert words.isdisjoint({socket.gethostname(), getpass.getuser()})


def test_the_first_processor_gives_the_name(tmp_path: Path) -> None:
    info = tmp_path / "cpuinfo"
    info.write_text("processor\t: 0\nmodel\t\t: 17\nmodel name\t: AMD EPYC 7R13\n\nprocessor\t: 1\nmodel name\t: B\n")
    assert read_cpu_name(info) == "AMD EPYC 7R13"


@pytest.mark.parametrize("content", [ARM, "model name\t:\n", "", None])
@pytest.mark.parametrize(("processor", "name"), [("arm", "arm"), ("", platform.machine())])
def test_a_system_that_gives_no_name_still_gives_its_architecture(
    content: str | None, processor: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Unless it is cached, Python asks a process.
    monkeypatch.setattr(platform, "processor", lambda: processor)
    info = tmp_path / "cpuinfo"
    if content is not None:
        info.write_text(content)
    assert read_cpu_name(info) == name != ""
