"""Estimated durations and memory, their calibration, and the remaining time."""

from dataclasses import replace

import numpy as np
import pytest

from tests.execution.examples import context_for, dataset, easy, multi_label_dataset
from tests.fakes.encoder import FakeEncoder
from windrow.domain.job import Progress, StageEstimate
from windrow.domain.recipe import Recipe
from windrow.encoders.onnx_encoder import OnnxEncoder
from windrow.execution import selection, training_cost
from windrow.execution.training_cost import (
    CostCalibration,
    EtaEstimator,
    estimate_memory,
    estimate_stages,
    measure_workload,
)
from windrow.execution.training_set import encode_training_set
from windrow.learning import plan
from windrow.learning.plan import plan_steps

HEAD_ONLY = Recipe(num_iterations=0)


def test_the_size_is_that_of_the_training_that_follows(tiny: OnnxEncoder) -> None:
    data = dataset()
    workload = measure_workload(data, Recipe(), tiny, 2)
    training_set = encode_training_set(data, Recipe(), context_for(tiny))
    texts = training_set.states.lengths[: len(training_set.text_ids)]
    assert workload.dataset is data
    assert (len(workload.selection.numbers), workload.selected_tokens, workload.tokens) == (
        12,
        int(texts.sum()),
        int(texts.sum()),
    )
    assert workload.plan is not None
    every = replace(training_set, num_label_names=3)
    lengths = every.contrastive_inputs()[0].lengths.astype(np.int64)
    planned = plan_steps(every.contrastive_inputs()[1], lengths, Recipe())
    assert len(workload.plan.steps) == len(planned.steps)
    assert workload.step_tokens == tuple(int(lengths[step].sum()) for step in planned.steps)
    assert workload.folds == 3


def test_a_head_alone_has_no_training_and_judging_stages() -> None:
    workload = measure_workload(easy(4), HEAD_ONLY, FakeEncoder(), 2)
    assert (workload.plan, workload.folds, workload.trained_layers) == (None, 0, 0)
    assert [part.stage for part in estimate_stages(workload, HEAD_ONLY, CostCalibration())] == [
        "encoding",
        "finishing",
        "saving",
    ]


def test_without_cross_validation_there_is_no_judging_stage() -> None:
    recipe = Recipe(cross_validate=False)
    parts = estimate_stages(measure_workload(easy(4), recipe, FakeEncoder(), 2), recipe, CostCalibration())
    assert [part.stage for part in parts] == ["encoding", "training", "finishing", "saving"]


def test_trainings_at_the_same_time_take_more_memory_and_the_same_work(tiny: OnnxEncoder) -> None:
    seconds, memory = [], []
    for threads in (1, 2):
        workload = measure_workload(dataset(), Recipe(), tiny, threads)
        seconds.append(sum(part.seconds for part in estimate_stages(workload, Recipe(), CostCalibration())))
        memory.append(estimate_memory(workload)[0])
    assert seconds[0] == pytest.approx(seconds[1], abs=0.05)
    assert memory[0] < memory[1]


def test_a_limit_of_time_has_the_trainings_run_in_turn(tiny: OnnxEncoder) -> None:
    assert measure_workload(dataset(), Recipe(max_seconds=60), tiny, 2).at_once == 1


def test_rows_whose_labels_have_one_text_each_have_no_judging_stage() -> None:
    assert measure_workload(easy(1), Recipe(), FakeEncoder(), 2).folds == 0


@pytest.mark.parametrize("threads", [1, 2])
def test_each_part_says_why(threads: int, tiny: OnnxEncoder) -> None:
    workload = measure_workload(dataset(), Recipe(), tiny, threads)
    reasons = {part.stage: part.reason for part in estimate_stages(workload, Recipe(), CostCalibration())}
    assert reasons["encoding"].startswith(f"12 distinct rows ({workload.tokens} tokens) go through")
    assert reasons["training"].startswith("3 steps, each over up to 15 texts, in")
    again = "3 times more without a part of the rows"
    judged = {
        1: f"The training is done {again}, to judge it by that part; without cross-validation that is left out.",
        2: "The parts are encoded by what was trained without them.",
    }
    assert (workload.at_once, reasons["validating"]) == (threads, judged[threads])
    assert (again in reasons["training"]) is (threads == 2)
    assert reasons["finishing"].endswith("the head is fitted to 12 rows of 3 labels.")


def test_more_work_takes_longer_and_more_memory(tiny: OnnxEncoder) -> None:
    seconds, memory = [], []
    for rows in (2, 20, 200):
        workload = measure_workload(dataset(rows), Recipe(), tiny, 2)
        seconds.append(sum(part.seconds for part in estimate_stages(workload, Recipe(), CostCalibration())))
        memory.append(estimate_memory(workload)[0])
    assert seconds == sorted(set(seconds))
    assert memory == sorted(set(memory))


# What training processes took at most, resident, of the default base model on two cores: texts, tokens of each, bytes.
MEASURED = [(16, 11, 802_000_000), (64, 52, 1_365_000_000), (60, 224, 1_699_000_000), (120, 256, 2_242_000_000)]


@pytest.mark.parametrize(("texts", "tokens", "measured_bytes"), MEASURED)
def test_the_estimate_is_near_what_trainings_of_the_default_base_model_took(
    texts: int, tokens: int, measured_bytes: int
) -> None:
    workload = measure_workload(dataset(2), Recipe(), FakeEncoder(), 2)
    folder = replace(workload.folder, layers=6, hidden_size=384)
    assert workload.plan is not None
    steps = (texts * tokens,) * 3
    workload = replace(workload, folder=folder, selected_tokens=texts * tokens, step_tokens=steps, at_once=1)
    assert workload.trained_layers == 6
    assert estimate_memory(workload)[0] == pytest.approx(measured_bytes, rel=0.1)


def test_trained_layers_are_a_reason_for_memory_only_where_some_are_trained() -> None:
    reasons = {
        recipe.num_iterations: estimate_memory(measure_workload(easy(2), recipe, FakeEncoder(), 2))[1]
        for recipe in (HEAD_ONLY, Recipe(num_iterations=20))
    }
    assert "trained layers" in reasons[20]
    assert "trained" not in reasons[0].replace("training process", "")


def test_max_seconds_bounds_what_it_cuts_short() -> None:
    recipe = Recipe(num_iterations=1_000, max_seconds=2)
    parts = estimate_stages(measure_workload(easy(200), recipe, FakeEncoder(), 2), recipe, CostCalibration())
    assert sum(part.seconds for part in parts if part.stage in ("encoding", "training", "validating")) <= 2.01


def test_of_very_many_texts_most_are_guessed_by_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    data, encoder = easy(100), FakeEncoder()
    exact = measure_workload(data, HEAD_ONLY, encoder, 2)
    monkeypatch.setattr(training_cost, "MAX_COUNTED_TEXTS", 50)
    guessed = measure_workload(data, HEAD_ONLY, encoder, 2)
    assert [len(workload.selection.tokens) for workload in (guessed, exact)] == [50, 300]
    assert guessed.tokens == pytest.approx(exact.tokens, rel=0.25)


def test_a_sample_is_encoded_once_more_with_all_other_texts(tiny: OnnxEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = measure_workload(dataset(40), HEAD_ONLY, tiny, 2)
    monkeypatch.setattr(plan, "MAX_PLANNED_TEXTS", 30)
    sample = measure_workload(dataset(40), HEAD_ONLY, tiny, 2)
    assert (len(sample.selection.texts), len(whole.selection.texts)) == (30, 120)
    assert sample.tokens == pytest.approx(whole.tokens, rel=0.25)
    reasons = [estimate_stages(workload, HEAD_ONLY, CostCalibration())[-2].reason for workload in (sample, whole)]
    assert reasons[0].startswith(f"120 texts ({sample.tokens} tokens) are encoded as they will be served, and the head")
    assert reasons[1] == "The head is fitted to 120 rows of 3 labels."


def test_a_training_in_bfloat16_takes_half_as_long(tiny: OnnxEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = {}
    for precision in ("float32", "bfloat16"):
        monkeypatch.setattr(training_cost, "choose_precision", lambda _, own=precision: own)
        workload = measure_workload(dataset(300), Recipe(), tiny, 2)
        heavy = replace(workload, step_tokens=(10**9,))
        stages = estimate_stages(heavy, Recipe(), CostCalibration())
        seconds[precision] = next(stage.seconds for stage in stages if stage.stage == "training")
    assert seconds["bfloat16"] == pytest.approx(seconds["float32"] / 2, rel=0.01)


def test_a_sample_that_left_out_rows_is_judged_by_them_and_not_by_folds(
    tiny: OnnxEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "MAX_PLANNED_TEXTS", 30)
    monkeypatch.setattr(selection, "ENOUGH_HELD_OUT_ROWS", 12)
    workload = measure_workload(dataset(40), Recipe(), tiny, 2)
    stages = {stage.stage: stage for stage in estimate_stages(workload, Recipe(), CostCalibration())}
    assert workload.folds == 0
    texts = f"120 texts ({workload.tokens} tokens) are encoded as they will be served"
    assert stages["validating"].reason == (
        f"{texts}, with the adapter and without it, and 12 rows that trained neither judge."
    )
    assert stages["finishing"].reason == "The head is fitted to 120 rows of 3 labels."
    unjudged = Recipe(cross_validate=False)
    plain = {
        stage.stage: stage
        for stage in estimate_stages(measure_workload(dataset(40), unjudged, tiny, 2), unjudged, CostCalibration())
    }
    assert "validating" not in plain
    assert "are encoded as they will be served, and the head is fitted" in plain["finishing"].reason


def test_a_sample_that_chooses_c_makes_the_forecast_of_very_many_rows_shorter(
    tiny: OnnxEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = []
    for most in (10**9, 1_000, 1):
        monkeypatch.setattr(training_cost, "MAX_CV_WORK", most)
        monkeypatch.setattr(training_cost, "MAX_CV_ROWS", 10)
        workload = measure_workload(dataset(40), HEAD_ONLY, tiny, 2)
        seconds.append(estimate_stages(workload, HEAD_ONLY, CostCalibration())[-2].seconds)
    assert seconds == sorted(set(seconds), reverse=True)


def test_the_calibration_adapts_and_one_outlier_does_not_spoil_it() -> None:
    calibration = CostCalibration()
    assert calibration.factor("a", "training") == 1
    for _ in range(20):
        calibration.update("a", "training", estimated_s=calibration.factor("a", "training"), took_s=3.0)
    assert calibration.factor("a", "training") == pytest.approx(3, rel=0.01)
    assert calibration.factor("a", "validating") == calibration.factor("b", "training") == 1
    calibration.update("a", "training", estimated_s=3.0, took_s=3_000.0)
    assert calibration.factor("a", "training") == pytest.approx(6, rel=0.01)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


PARTS = (StageEstimate("encoding", 1.0, ""), StageEstimate("training", 10.0, ""), StageEstimate("saving", 0.5, ""))


def test_the_remaining_time_falls_with_progress() -> None:
    clock = Clock()
    eta = EtaEstimator(CostCalibration(), clock)
    eta.begin("a", PARTS)
    assert eta.seconds_left(Progress("encoding")) == 11.5
    clock.now = 0.75
    assert eta.seconds_left(Progress("encoding")) == 10.75
    clock.now = 2.0  # longer than was said, and so a quarter of it more
    assert eta.seconds_left(Progress("encoding")) == 11.0
    assert eta.seconds_left(Progress("training")) == 10.5
    clock.now = 6.0  # the first step waited for libraries, so each further one is said to take what was estimated
    assert eta.seconds_left(Progress("training", 1, 4, 0.3)) == 8.0
    clock.now = 9.0  # the same progress, a while later
    assert eta.seconds_left(Progress("training", 1, 4, 0.3)) == 5.0
    clock.now = 19.0  # the next step is long overdue
    assert eta.seconds_left(Progress("training", 1, 4, 0.3)) == 3.75
    clock.now = 20.0
    assert eta.seconds_left(Progress("training", 2, 4, 0.3)) == 28.5
    clock.now = 21.0  # the first step, which waits for libraries, says nothing of the others
    assert eta.seconds_left(Progress("training", 3, 4, 0.3)) == 8.0
    assert eta.seconds_left(Progress("saving")) == 0.5


def test_without_estimates_there_is_no_remaining_time() -> None:
    assert EtaEstimator(CostCalibration()).seconds_left(Progress("encoding")) is None


def test_the_duration_of_each_stage_updates_the_calibration() -> None:
    clock, calibration = Clock(), CostCalibration()
    eta = EtaEstimator(calibration, clock)
    eta.begin("a", PARTS)
    for now, stage in ((0.0, "encoding"), (2.0, "training"), (12.0, "saving")):
        clock.now = now
        eta.seconds_left(Progress(stage))  # type: ignore[arg-type]
    clock.now = 12.5
    eta.end()
    assert calibration.factor("a", "encoding") == pytest.approx(2**0.5)
    assert calibration.factor("a", "training") == pytest.approx(1)
    assert calibration.factor("a", "saving") == pytest.approx(1)


def test_the_work_on_rows_of_several_labels_is_measured_as_it_is_done(tiny: OnnxEncoder) -> None:
    data = multi_label_dataset(30)
    workload = measure_workload(data, Recipe(), tiny, threads=2)
    assert workload.plan is not None
    assert (workload.plan.requested_steps, workload.folds) == (3, 3)
    assert sum(len(step) for step in workload.plan.steps) == 3 * (30 + 3)
    stages = estimate_stages(workload, Recipe(), CostCalibration())
    assert "the head is fitted to 30 rows of 3 labels" in stages[-2].reason
