"""While an alias is promoted back and forth, each of 1,000 predictions comes wholly from the old or the new one.

Counted, not timed. The steps of a single prediction are in test_predicting_interleaved.
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tests.service.examples import ROWS, Open, ask, fit, show
from windrow.domain.alias import PromoteRequest
from windrow.domain.classifier import DeleteRequest
from windrow.domain.prediction import Prediction
from windrow.service.service import Service

pytestmark = pytest.mark.slow

TEXTS = ("charged twice", "error on screen", "an invoice", "the screen")
PREDICTIONS = 1_000
THREADS = 16
# A promotion comes after so many answers: more than there are threads, so that some of them began after the last one.
ANSWERS_A_PROMOTION = 40
DIFFERENT = tuple(replace(row, label=f"other {row.label}") for row in ROWS[1:])

Answers = dict[tuple[str, str], Prediction]


def promote(service: Service, model_name: str) -> None:
    service.promote(PromoteRequest("tickets", model_name))


def asked_directly(service: Service, *names: str) -> Answers:
    """Return what each classifier says of each text, as it is to say by the alias."""
    return {(name, text): replace(ask(service, name, text), alias="tickets") for name in names for text in TEXTS}


def ask_in_threads(service: Service, change: Callable[[int], None]) -> list[tuple[str, Prediction]]:
    """Ask 1,000 times in many threads, change something now and then meanwhile, and return texts and answers."""
    answered = threading.Semaphore(0)

    def ask_once(number: int) -> tuple[str, Prediction]:
        text = TEXTS[number % len(TEXTS)]
        try:
            return text, ask(service, "tickets", text)
        finally:
            answered.release()

    with ThreadPoolExecutor(THREADS) as threads:
        answers = threads.map(ask_once, range(PREDICTIONS))
        for number in range(PREDICTIONS // ANSWERS_A_PROMOTION):
            for _ in range(ANSWERS_A_PROMOTION):
                assert answered.acquire(timeout=60)
            change(number)
    return list(answers)


@pytest.mark.parametrize("embedding_cache_bytes", [0, 10**6])
def test_a_thousand_predictions_come_wholly_from_one_of_two_classifiers(
    opened: Open, embedding_cache_bytes: int
) -> None:
    service = opened(embedding_cache_bytes=embedding_cache_bytes)
    fit(service, "tickets_v1")
    fit(service, "tickets_v2", rows=DIFFERENT)
    expected = asked_directly(service, "tickets_v1", "tickets_v2")
    assert len({tuple(answer.scores) for answer in expected.values()}) == 2
    promote(service, "tickets_v1")

    def change(number: int) -> None:
        target = "tickets_v1" if number % 2 else "tickets_v2"
        promote(service, target)
        assert ask(service, "tickets", TEXTS[0]) == expected[target, TEXTS[0]]

    loads = service.server_stats().classifiers.misses
    answers = ask_in_threads(service, change)
    assert len(answers) == PREDICTIONS
    for text, answer in answers:
        assert answer == expected[answer.model_name, text]
    assert {answer.model_name for _, answer in answers} == {"tickets_v1", "tickets_v2"}
    assert service.server_stats().classifiers.misses == loads


def test_none_fails_though_the_old_one_is_purged_right_after_each_promotion(opened: Open) -> None:
    service = opened()
    rows_of = {"even": DIFFERENT, "odd": ROWS}
    for name, rows in rows_of.items():
        fit(service, name, rows=rows)
    expected = asked_directly(service, "even", "odd")
    promote(service, "odd")

    def change(number: int) -> None:
        new, old = ("odd", "even") if number % 2 else ("even", "odd")
        promote(service, new)
        service.delete(DeleteRequest(old, purge=True, force=True))
        fit(service, old, rows=rows_of[old])

    for text, answer in ask_in_threads(service, change):
        assert answer == expected[answer.model_name, text]


def test_none_fails_though_what_the_alias_points_to_is_trained_again_and_the_older_revision_purged(
    opened: Open,
) -> None:
    service = opened()
    fit(service, "tickets_v1")
    promote(service, "tickets_v1")
    labels_of: dict[int, tuple[str, ...]] = {1: ("billing", "bug")}

    def change(number: int) -> None:
        rows = ROWS if number % 2 else DIFFERENT
        before = show(service, "tickets_v1").revision
        revision = fit(service, "tickets_v1", rows=rows)
        labels_of[revision] = tuple(sorted({row.label for row in rows}))
        service.delete(DeleteRequest(f"tickets_v1@{before}", purge=True))

    for _, answer in ask_in_threads(service, change):
        assert tuple(answer.scores) == labels_of[answer.revision]
