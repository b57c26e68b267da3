"""What a processor should give follows from its instructions and its clock, and what it gives is measured."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from tests.fakes.encoder import FakeEncoder
from windrow.arrays import Floats
from windrow.diagnosis.processor import (
    Processor,
    Speed,
    check_speed,
    expected_tokens_per_s,
    measure_speed,
    read_processor,
)
from windrow.encoders.adapters import Adapter
from windrow.encoders.folder import EncoderFolder
from windrow.encoders.onnx_encoder import Parallelism, Tokens

EPYC = """processor\t: 0
model name\t: AMD EPYC
cpu MHz\t\t: 2596.120
flags\t\t: fpu fma avx avx2 avx512f

processor\t: 1
cpu MHz\t\t: 1.0
flags\t\t: fpu
"""
MINI_LM = cast(EncoderFolder, SimpleNamespace(layers=6, hidden_size=384, intermediate_size=1_536))


class PacedEncoder(FakeEncoder):
    """An encoder of which each batch takes a given time by its own clock."""

    def __init__(self, took_s: tuple[float, ...]) -> None:
        super().__init__()
        self._took_s = took_s
        self.now_s = 0.0
        self.batches = self.tokens = 0

    def encode(self, batch: Sequence[Tokens], adapters: Sequence[Adapter | None], parallelism: Parallelism) -> Floats:
        assert parallelism is Parallelism.ONE_CORE
        self.now_s += self._took_s[self.batches]
        self.batches += 1
        self.tokens = sum(len(each.ids) for each in batch)
        return super().encode(batch, adapters, parallelism)


def processor_of(folder: Path, text: str, khz: str = "") -> Processor | None:
    (folder / "cpuinfo").write_text(text)
    (folder / "khz").write_text(khz)
    return read_processor(folder / "cpuinfo", folder / "khz")


def test_the_widest_instructions_and_the_stated_clock_are_read(tmp_path: Path) -> None:
    assert processor_of(tmp_path, EPYC) == Processor("AVX-512", 64, 2_596_120_000)
    assert processor_of(tmp_path, EPYC.replace(" avx512f", "")) == Processor("AVX2", 32, 2_596_120_000)
    arm = "processor\t: 0\nFeatures\t: fp asimd\n"
    assert processor_of(tmp_path, arm, "3000000\n") == Processor("NEON", 16, 3e9)


@pytest.mark.parametrize("text", ["", "flags : avx2\ncpu MHz : 2000", "flags : avx2 fma", "Features : asimd"])
def test_of_a_processor_of_which_too_little_is_said_nothing_is_expected(tmp_path: Path, text: str) -> None:
    assert processor_of(tmp_path, text) is None
    assert read_processor(tmp_path / "none", tmp_path / "none") is None


def test_two_fifths_of_what_the_instructions_compute_are_expected() -> None:
    # 10,616,832 weights in six layers, each a multiplication and an addition for each token.
    expected = expected_tokens_per_s(MINI_LM, Processor("AVX-512", 64, 2.6e9))
    assert expected == pytest.approx(0.4 * 64 * 2.6e9 / (2 * 10_616_832))


@pytest.mark.parametrize(
    ("tokens_per_s", "share", "state", "words"),
    [
        (9_000, 1.0, "ok", "3,135 or more are expected"),
        (1_600, 1.0, "ok", "3,135 or more are expected"),
        (1_500, 0.6, "warning", "this one got 60% of a core"),
        (1_500, 0.9, "warning", "this process had the core for itself"),
    ],
)
def test_half_of_what_is_expected_is_enough_and_less_is_explained(
    tokens_per_s: float, share: float, state: str, words: str
) -> None:
    (check,) = check_speed(MINI_LM, Speed(tokens_per_s, share), Processor("AVX-512", 64, 2.6e9))
    assert (check.state, words in check.detail) == (state, True), check.detail
    assert f"{tokens_per_s:,.0f} tokens a second" in check.detail


def test_where_nothing_is_expected_the_speed_is_told_alone() -> None:
    (check,) = check_speed(MINI_LM, Speed(1_234, 1.0), None)
    assert (check.state, "1,234 tokens a second" in check.detail) == ("ok", True)


def test_the_speed_is_that_of_the_fastest_batch() -> None:
    encoder = PacedEncoder((9.0, 3.0, 2.0, 5.0))
    speed = measure_speed(encoder, 8.0, lambda: encoder.now_s)
    # The first batch is none of those that are measured; the last one begins before the eighth second is over.
    assert encoder.batches == 4
    assert speed.tokens_per_s == encoder.tokens / 2.0
    assert 0 <= speed.share <= 1
