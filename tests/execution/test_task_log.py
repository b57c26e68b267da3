"""Tasks are counted by node and outcome, each with a line in the log."""

import logging

import pytest

from windrow.domain.errors import ClientClosedRequest, ClusterUnavailable, TrainingCancelled, TrainingFailed
from windrow.execution.task_log import MAX_NODES, OTHER_NODES, TaskLog, task_name
from windrow.execution.tasks import (
    CrossValidateHeadTask,
    FitTask,
    HoldoutsTask,
    HoldoutTask,
    LearningCurveTask,
    SearchHeadTask,
    TrainAdaptersTask,
    TrainAdapterTask,
)


def test_each_task_has_a_name() -> None:
    kinds = (
        TrainAdapterTask,
        TrainAdaptersTask,
        FitTask,
        SearchHeadTask,
        HoldoutTask,
        HoldoutsTask,
        LearningCurveTask,
        CrossValidateHeadTask,
    )
    assert [task_name(each.__name__) for each in kinds] == [
        "train_adapter",
        "train_adapters",
        "fit",
        "search_head",
        "holdout",
        "holdouts",
        "learning_curve",
        "cross_validate_head",
    ]


def test_tasks_that_ended_alike_are_counted_together_and_named_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    log = TaskLog()
    with caplog.at_level(logging.INFO, "windrow.trainings"):
        for attempts in (1, 2):
            with log.running("FitTask") as run:
                run.node, run.attempts = "10.0.0.7/3f2a9c1b", attempts
        with log.running("FitTask"):
            pass
    there, here = log.stats()
    assert (there.task, there.node, there.outcome, there.count, there.attempts) == (
        "fit",
        "10.0.0.7/3f2a9c1b",
        "done",
        2,
        3,
    )
    assert (here.node, here.count, here.attempts) == ("local", 1, 1)
    assert there.seconds >= 0
    assert caplog.messages[1].startswith("Task fit on node 10.0.0.7/3f2a9c1b: done after 0.0")
    assert caplog.messages[1].endswith("attempts 2.")


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (TrainingFailed("It died."), "failed"),
        (ClusterUnavailable("It is gone."), "failed"),
        (TrainingCancelled("It was cancelled."), "cancelled"),
        (ClientClosedRequest("The caller left."), "cancelled"),
        (KeyboardInterrupt(), "cancelled"),
    ],
)
def test_how_a_task_ended_is_told_by_its_error(error: BaseException, outcome: str) -> None:
    log = TaskLog()
    with pytest.raises(type(error)), log.running("FitTask"):
        raise error
    assert [each.outcome for each in log.stats()] == [outcome]


def test_more_nodes_than_a_monitor_should_keep_are_counted_together() -> None:
    log = TaskLog()
    for number in range(MAX_NODES + 3):
        with log.running("FitTask") as run:
            run.node = f"node {number}"
    assert [(each.node, each.count) for each in log.stats()][MAX_NODES:] == [(OTHER_NODES, 3)]
