"""What holds for each format of the registry: it knows its own files, and a damaged one never surprises."""

import tracemalloc
from typing import get_args

import pytest

from tests.files.formats.changing import changed
from tests.files.formats.odd_values import with_odd_values
from tests.files.formats.reading import Sample, opened, read_whole, sniff_all, told
from tests.files.formats.samples import all_samples
from windrow.domain.errors import InvalidFile, LimitExceeded
from windrow.domain.read_options import ToolFormat
from windrow.domain.words import render
from windrow.files.formats.form import LeftOut
from windrow.files.formats.registry import FORMATS, format_called

SAMPLES = all_samples()
EACH = [
    pytest.param(name, sample, id=f"{name}: {sample.variant}")
    for name, samples in SAMPLES.items()
    for sample in samples
    if format_called(name) is not None
]
# So much less sure is every other format.
MARGIN = 0.25


def test_each_format_has_a_name_of_its_own_that_options_know() -> None:
    names = [each.name for each in FORMATS]
    assert len(set(names)) == len(names)
    assert set(names) <= set(get_args(ToolFormat))


@pytest.mark.parametrize("name", [each.name for each in FORMATS])
def test_each_format_has_three_samples(name: str) -> None:
    assert len(SAMPLES.get(name, ())) >= 3


@pytest.mark.parametrize(("name", "sample"), EACH)
def test_a_sample_is_read_as_it_was_written(name: str, sample: Sample) -> None:
    reading, rows = read_whole(name, sample.content, sample.filename, **sample.options)
    assert told(rows) == [tuple(row) for row in sample.rows]
    assert sum(isinstance(row, LeftOut) for row in rows) == sample.num_left_out
    assert reading.kind == sample.kind


@pytest.mark.parametrize(("name", "sample"), EACH)
def test_a_sample_is_recognised_by_its_own_format_alone(name: str, sample: Sample) -> None:
    sure = sniff_all(sample.content, sample.filename)
    own = sure.pop(name, 0.0)
    others = max(sure.values(), default=0.0)
    if "format" in sample.options:
        assert own < 0.8, "it is recognised, so the sample needs no option"
        assert others < 0.8, f"another one takes it for its own: {sure}"
    else:
        assert own >= 0.8
        assert others <= own - MARGIN, f"others are nearly as sure: {sure}"


@pytest.mark.parametrize(("name", "sample"), EACH)
def test_a_sample_that_breaks_off_is_refused_in_words_or_has_fewer_rows(name: str, sample: Sample) -> None:
    size = len(sample.content)
    for end in sorted({*range(0, size, max(1, size // 60)), size - 1}):
        cut = sample.content[:end]
        try:
            with opened(cut, sample.filename, **sample.options) as document:
                sure = [each.sniff(document.beginning) for each in FORMATS]
            assert all(0 <= each <= 1 for each in sure)
            _, rows = read_whole(name, cut, sample.filename, **sample.options)
        except (InvalidFile, LimitExceeded):
            continue
        assert len(told(rows)) <= len(sample.rows)


@pytest.mark.parametrize(("name", "sample"), EACH)
def test_whatever_stands_in_place_of_a_value_is_refused_in_words_or_read(name: str, sample: Sample) -> None:
    for content in changed(sample.content):
        for wants_labels in (True, False):
            try:
                with opened(content, sample.filename, **sample.options) as document:
                    assert all(0 <= each.sniff(document.beginning) <= 1 for each in FORMATS)
                    document.wants_labels = wants_labels
                    format_ = format_called(name)
                    assert format_ is not None
                    rows = list(format_.read(document).rows)
            except (InvalidFile, LimitExceeded):
                continue
            assert [render(row.template, row.facts) for row in rows if isinstance(row, LeftOut)].count("") == 0
            examples = [row for row in rows if not isinstance(row, LeftOut)]
            assert all(row.text.strip() for row in examples)
            assert all(label.strip() for row in examples for label in row.labels or ())


@pytest.mark.parametrize("name", [each.name for each in FORMATS])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n",
        b"null",
        b"[]",
        b"{}",
        b"[[]]",
        b"[1, 2]",
        b'["text"]',
        b'{"text": 1}',
        b'{"data": {"text": []}, "annotations": [{"result": [null]}]}',
        b"text,label\na,b\n",
        b"\xff\xfe\x00",
        b"PK\x03\x04 and no more",
        b"PAR1 and no more",
        b"[" * 5_000,
    ],
)
def test_a_file_of_something_else_is_refused_in_words_or_has_no_rows(name: str, content: bytes) -> None:
    try:
        with opened(content) as document:
            assert all(0 <= each.sniff(document.beginning) <= 1 for each in FORMATS)
        read_whole(name, content)
    except (InvalidFile, LimitExceeded):
        return


# What these write is one document, which is in memory as a whole.
WHOLE = ("azure", "clu", "dialogflow", "hugging_face", "label_studio", "luis", "rasa", "snips")


@pytest.mark.slow
@pytest.mark.parametrize("name", [each.name for each in FORMATS if each.name not in WHOLE])
def test_memory_does_not_grow_with_the_rows(name: str) -> None:
    found = format_called(name)
    assert found is not None
    sample = next(each for each in SAMPLES[name] if each.filename.endswith((".jsonl", ".csv", ".txt", ".md")))
    content = sample.content * (4_000_000 // len(sample.content))
    tracemalloc.start()
    try:
        with opened(content, sample.filename, **sample.options) as document:
            before = tracemalloc.get_traced_memory()[0]
            tracemalloc.reset_peak()
            count = sum(1 for _ in found.read(document).rows)
            peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert count > 1_000
    assert peak < 3_000_000, "it holds the rows"


@pytest.mark.parametrize(("name", "sample"), EACH)
def test_a_sample_with_a_value_of_another_kind_is_refused_in_words_or_has_whole_rows(name: str, sample: Sample) -> None:
    refusals: list[str] = []
    for content in with_odd_values(sample.content):
        try:
            with opened(content, sample.filename, **sample.options) as document:
                assert all(0 <= each.sniff(document.beginning) <= 1 for each in FORMATS)
            _, rows = read_whole(name, content, sample.filename, **sample.options)
        except (InvalidFile, LimitExceeded) as error:
            refusals.append(str(error))
            continue
        for text, labels, *_ in told(rows):
            assert text.strip()
            assert labels is None or all(label.strip() for label in labels)
    assert all(words.endswith(".") for words in refusals)
