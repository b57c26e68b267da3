"""Forecasts: what a training is made of, what it will take, and how long it still takes."""

from dataclasses import replace

import numpy as np
import pytest

from tests.execution.examples import dataset, easy, means_of
from tests.fakes.encoder import FakeEncoder
from windrow.domain.job import ForecastPart, Progress
from windrow.domain.recipe import Recipe
from windrow.encoders.onnx_encoder import OnnxEncoder
from windrow.execution import forecast
from windrow.execution.forecast import Countdown, Pace, forecast_memory, forecast_parts, measure_size
from windrow.execution.look import look_first
from windrow.learning import plan
from windrow.learning.plan import plan_steps

HEAD_ONLY = Recipe(num_iterations=0)


def test_the_size_is_that_of_the_training_that_follows(tiny: OnnxEncoder) -> None:
    data = dataset()
    size = measure_size(data, Recipe(), tiny)
    look = look_first(data, Recipe(), means_of(tiny))
    texts = look.states.lengths[: len(look.text_ids)]
    assert size.dataset is data
    assert (len(size.selection.numbers), size.selected_tokens, size.tokens) == (12, int(texts.sum()), int(texts.sum()))
    assert size.plan is not None
    every = replace(look, names=3)
    lengths = every.lesson()[0].lengths.astype(np.int64)
    planned = plan_steps(every.lesson()[1], lengths, Recipe())
    assert len(size.plan.steps) == len(planned.steps)
    assert size.step_tokens == tuple(int(lengths[step].sum()) for step in planned.steps)
    assert size.folds == 3


def test_the_head_alone_neither_trains_nor_is_judged_apart() -> None:
    size = measure_size(easy(4), HEAD_ONLY, FakeEncoder())
    assert (size.plan, size.folds, size.trained_layers) == (None, 0, 0)
    assert [part.stage for part in forecast_parts(size, HEAD_ONLY, Pace())] == ["encoding", "finishing", "saving"]


def test_without_cross_validation_nothing_is_judged() -> None:
    recipe = Recipe(cross_validate=False)
    parts = forecast_parts(measure_size(easy(4), recipe, FakeEncoder()), recipe, Pace())
    assert [part.stage for part in parts] == ["encoding", "training", "finishing", "saving"]


def test_rows_whose_labels_have_one_text_each_are_not_judged() -> None:
    assert measure_size(easy(1), Recipe(), FakeEncoder()).folds == 0


def test_each_part_says_why(tiny: OnnxEncoder) -> None:
    size = measure_size(dataset(), Recipe(), tiny)
    reasons = {part.stage: part.reason for part in forecast_parts(size, Recipe(), Pace())}
    assert reasons["encoding"].startswith(f"12 distinct rows ({size.tokens} tokens) go through")
    assert reasons["training"].startswith("3 steps, each over up to 15 texts, in")
    assert reasons["judging"].startswith("The training is done 3 times more without a part of the rows")
    assert reasons["finishing"].endswith("the head is fitted to 12 rows of 3 labels.")


def test_more_work_takes_longer_and_more_memory(tiny: OnnxEncoder) -> None:
    seconds, memory = [], []
    for rows in (2, 20, 200):
        size = measure_size(dataset(rows), Recipe(), tiny)
        seconds.append(sum(part.seconds for part in forecast_parts(size, Recipe(), Pace())))
        memory.append(forecast_memory(size)[0])
    assert seconds == sorted(set(seconds))
    assert memory == sorted(set(memory))


def test_trained_layers_are_said_to_take_memory_only_where_some_are_trained() -> None:
    reasons = {
        recipe.num_iterations: forecast_memory(measure_size(easy(2), recipe, FakeEncoder()))[1]
        for recipe in (HEAD_ONLY, Recipe(num_iterations=20))
    }
    assert "trained layers" in reasons[20]
    assert "trained" not in reasons[0].replace("training process", "")


def test_max_seconds_bounds_what_it_cuts_short() -> None:
    recipe = Recipe(num_iterations=1_000, max_seconds=2)
    parts = forecast_parts(measure_size(easy(200), recipe, FakeEncoder()), recipe, Pace())
    assert sum(part.seconds for part in parts if part.stage in ("encoding", "training", "judging")) <= 2.01


def test_of_very_many_texts_most_are_guessed_by_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    data, encoder = easy(100), FakeEncoder()
    exact = measure_size(data, HEAD_ONLY, encoder)
    monkeypatch.setattr(forecast, "COUNTED_TEXTS", 50)
    guessed = measure_size(data, HEAD_ONLY, encoder)
    assert [len(size.selection.tokens) for size in (guessed, exact)] == [50, 300]
    assert guessed.tokens == pytest.approx(exact.tokens, rel=0.25)


def test_a_sample_is_encoded_once_more_with_all_other_texts(tiny: OnnxEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = measure_size(dataset(40), HEAD_ONLY, tiny)
    monkeypatch.setattr(plan, "MAX_PLANNED_TEXTS", 30)
    sample = measure_size(dataset(40), HEAD_ONLY, tiny)
    assert (len(sample.selection.texts), len(whole.selection.texts)) == (30, 120)
    assert sample.tokens == pytest.approx(whole.tokens, rel=0.25)
    reasons = [forecast_parts(size, HEAD_ONLY, Pace())[-2].reason for size in (sample, whole)]
    assert reasons[0].startswith(f"120 texts ({sample.tokens} tokens) are encoded as they will be served, and the head")
    assert reasons[1] == "The head is fitted to 120 rows of 3 labels."


def test_the_pace_learns_and_one_odd_training_does_not_spoil_it() -> None:
    pace = Pace()
    assert pace.factor("a", "training") == 1
    for _ in range(20):
        pace.learn("a", "training", said_s=pace.factor("a", "training"), took_s=3.0)
    assert pace.factor("a", "training") == pytest.approx(3, rel=0.01)
    assert pace.factor("a", "judging") == pace.factor("b", "training") == 1
    pace.learn("a", "training", said_s=3.0, took_s=3_000.0)
    assert pace.factor("a", "training") == pytest.approx(6, rel=0.01)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


PARTS = (ForecastPart("encoding", 1.0, ""), ForecastPart("training", 10.0, ""), ForecastPart("saving", 0.5, ""))


def test_the_countdown_counts_down() -> None:
    clock = Clock()
    countdown = Countdown(Pace(), clock)
    countdown.begin("a", PARTS)
    assert countdown.left(Progress("encoding")) == 11.5
    clock.now = 0.75
    assert countdown.left(Progress("encoding")) == 10.75
    clock.now = 2.0  # longer than was said
    assert countdown.left(Progress("encoding")) == 10.5
    assert countdown.left(Progress("training")) == 10.5
    clock.now = 6.0  # one of four steps took four seconds
    assert countdown.left(Progress("training", 1, 4, 0.3)) == 12.5
    clock.now = 20.0
    assert countdown.left(Progress("saving")) == 0.5


def test_the_countdown_without_a_forecast_says_nothing() -> None:
    assert Countdown(Pace()).left(Progress("encoding")) is None


def test_the_countdown_teaches_the_pace_what_each_stage_took() -> None:
    clock, pace = Clock(), Pace()
    countdown = Countdown(pace, clock)
    countdown.begin("a", PARTS)
    for now, stage in ((0.0, "encoding"), (2.0, "training"), (12.0, "saving")):
        clock.now = now
        countdown.left(Progress(stage))  # type: ignore[arg-type]
    clock.now = 12.5
    countdown.end()
    assert pace.factor("a", "encoding") == pytest.approx(2**0.5)
    assert pace.factor("a", "training") == pytest.approx(1)
    assert pace.factor("a", "saving") == pytest.approx(1)
