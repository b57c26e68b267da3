"""Any value of the domain that a reply shows, for Hypothesis to draw; and the way through JSON and back."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st
from pydantic import BaseModel as Shape

from windrow.domain.alias import Alias, AliasChange, PromoteRequest, Promotion, Said
from windrow.domain.base_models import BaseModelUse
from windrow.domain.checkup import Checkup
from windrow.domain.classifier import (
    AdapterReport,
    Candidate,
    Classifier,
    Estimate,
    FitRequest,
    HeadReport,
    Notes,
    NotesChange,
    Origin,
    Record,
    ScoreReport,
    TestScore,
    Threshold,
    TrainingSummary,
)
from windrow.domain.comparison import CompareRequest, Comparison, Contender, Flip, Pair
from windrow.domain.cross_validation import CrossValidateRequest, CrossValidation, CurvePoint, LabelAdvice
from windrow.domain.dataset import Row
from windrow.domain.explanation import Explanation, NearRow, WordEffect
from windrow.domain.gate import Check, FailedRow, GateReport, Requirement, SideReport
from windrow.domain.interval import Interval
from windrow.domain.job import Forecast, ForecastPart, Job, Problem, Progress
from windrow.domain.names import NAME_GRAMMAR, Reference
from windrow.domain.prediction import PredictRequest
from windrow.domain.recipe import Recipe
from windrow.domain.report import (
    Calibration,
    EvaluateRequest,
    LabelReport,
    Majority,
    Misread,
    Outcome,
    ReliabilityBin,
    Report,
)
from windrow.domain.reproduction import Reproduction
from windrow.domain.suggestion import Suggestion, Suggestions, SuggestRequest

number = st.floats(allow_nan=False, allow_infinity=False)
count = st.integers(0, 10**6)
any_name = st.from_regex(NAME_GRAMMAR, fullmatch=True)
any_time = st.integers(0, 32_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
_score = st.none() | number
_adapters = st.builds(
    AdapterReport,
    strength=number,
    candidates=st.lists(st.builds(Candidate, number, _score), max_size=3).map(tuple),
    first_loss=_score,
    last_loss=_score,
)
_estimates = st.builds(Estimate, count, st.integers(1, 10**6), count, st.builds(Interval, number, number))
any_record = st.builds(
    Record,
    rows_per_label=st.dictionaries(st.text(max_size=9), count, min_size=1, max_size=4),
    recipe=st.builds(Recipe, max_seconds=_score),
    created_at=any_time,
    training_time_s=number,
    summary=st.builds(
        TrainingSummary,
        head=st.builds(HeadReport, strength=number, cv_accuracy=_score),
        adapter=st.none() | _adapters,
        estimate=st.none() | _estimates,
        scores=st.builds(ScoreReport, temperature=number, likeness=_score, likeness_deviation=_score),
        versions=st.dictionaries(st.text(max_size=9), st.text(max_size=9), max_size=3),
    ),
)


@st.composite
def any_test(draw: st.DrawFn) -> TestScore:
    """Draw a score whose counts add up."""
    rows = draw(st.dictionaries(st.text(max_size=9), st.integers(1, 10**6), min_size=1, max_size=4))
    correct = {label: draw(st.integers(0, total)) for label, total in rows.items()}
    figures = draw(number), draw(number)
    return TestScore(
        sum(correct.values()), sum(rows.values()), draw(st.text(max_size=9)), draw(any_time), *figures, correct, rows
    )


any_threshold = st.builds(
    Threshold,
    abstain_below=number,
    target_precision=number,
    answered=st.integers(1, 10**6),
    total=st.integers(1, 10**6),
    measured_at=any_time,
)
any_classifier = st.builds(
    Classifier,
    record=any_record,
    notes=st.builds(Notes),
    test=st.none() | any_test(),
    threshold=st.none() | any_threshold,
    origin=st.none() | st.builds(Origin, imported_at=any_time),
    deleted_at=st.none() | any_time,
)
any_target = st.builds(Reference, any_name, st.none() | st.integers(1, 10**6))
any_alias = st.builds(Alias, name=any_name, points_to=any_target, changed_at=any_time)
any_change = st.builds(AliasChange, points_from=st.none() | any_target, points_to=st.none() | any_target, at=any_time)
any_use = st.builds(BaseModelUse)
any_checkup = st.builds(Checkup)
any_reproduction = st.builds(
    Reproduction, largest_weight_difference=_score, largest_score_difference=number, training_time_s=number
)


def sent(shown: Shape) -> str:
    """Return a reply as it goes over the wire."""
    return shown.model_dump_json(by_alias=True)


def there_and_back(shape: Any, value: object) -> object:
    """Show a value, send it, and return what comes out at the other side."""
    return shape.model_validate_json(sent(shape.of(value))).to_domain()


_at_least_one = st.integers(1, 10**6)
any_interval = st.builds(Interval, number, number)
any_outcome = st.builds(
    Outcome,
    total=_at_least_one,
    accuracy_interval=any_interval,
    macro_f1=number,
    labels=st.lists(st.builds(LabelReport, precision=_score, recall=_score, f1=_score), max_size=3).map(tuple),
    calibration=st.builds(
        Calibration,
        ece=number,
        bins=st.lists(
            st.builds(ReliabilityBin, low=number, high=number, mean_score=number, accuracy=number), max_size=3
        ).map(tuple),
    ),
)
_majority = st.builds(Majority, accuracy=number)
any_report = st.builds(
    Report,
    outcome=any_outcome,
    majority=_majority,
    misread=st.lists(st.builds(Misread, score=number), max_size=3).map(tuple),
    measured_at=any_time,
    threshold=st.none() | any_threshold,
)
any_comparison = st.builds(
    Comparison,
    contenders=st.lists(st.builds(Contender, outcome=any_outcome), max_size=3).map(tuple),
    pairs=st.lists(
        st.builds(Pair, p_value=number, difference=number, difference_interval=any_interval), max_size=3
    ).map(tuple),
    flips=st.lists(
        st.builds(Flip, predicted=st.dictionaries(st.text(max_size=9), st.text(max_size=9), max_size=3)), max_size=3
    ).map(tuple),
    majority=_majority,
)
any_explanation = st.builds(
    Explanation,
    nearest=st.none() | st.lists(st.builds(NearRow, similarity=number), max_size=3).map(tuple),
    words=st.lists(st.builds(WordEffect, effect=number), max_size=3).map(tuple),
)
any_suggestions = st.builds(
    Suggestions,
    suggestions=st.lists(st.builds(Suggestion, score=number, in_scope=_score), max_size=3).map(tuple),
)
any_cross_validation = st.builds(
    CrossValidation,
    outcome=any_outcome,
    fold_accuracies=st.lists(st.floats(0, 1), min_size=1, max_size=5).map(tuple),
    majority=_majority,
    contradicted=st.lists(st.builds(Misread, score=number), max_size=2).map(tuple),
    curve=st.lists(
        st.builds(
            CurvePoint,
            share=number,
            rows=number,
            accuracy=number,
            recall=st.dictionaries(st.text(max_size=9), number, max_size=3),
        ),
        max_size=2,
    ).map(tuple),
    advice=st.lists(st.builds(LabelAdvice, gain=number), max_size=2).map(tuple),
    head_only_accuracy=number,
    head_only_interval=any_interval,
)


_texts = st.lists(st.text(max_size=9), max_size=3).map(tuple)
any_rows = st.lists(st.builds(Row, st.text(max_size=9), st.text(max_size=9)), max_size=3).map(tuple)
any_said = st.builds(Said, reason=..., by=...)
any_notes_change = st.builds(NotesChange, st.none() | st.text(max_size=9), st.none() | _texts)
any_fit = st.builds(
    FitRequest,
    rows=any_rows,
    base_model=...,
    recipe=st.builds(Recipe, num_iterations=..., batch_size=..., seed=..., max_seconds=_score, cross_validate=...),
    notes=any_notes_change,
    overwrite=...,
)
_one = st.tuples(st.text(max_size=9))
_more: dict[str, Any] = {"top_k": ..., "abstain_below": _score, "min_in_scope": _score, "explain": ...}
any_question = st.builds(PredictRequest, model_names=_one, texts=_texts, **_more) | st.builds(
    PredictRequest, model_names=_texts, texts=_one, **_more
)
any_evaluate = st.builds(EvaluateRequest, rows=any_rows, is_saved=..., target_precision=_score)
any_compare = st.builds(CompareRequest, model_names=_texts, rows=any_rows)
# What a recipe says beside these has nothing to do with a cross-validation.
any_cross_validate = st.builds(
    CrossValidateRequest,
    rows=any_rows,
    folds=...,
    base_model=...,
    recipe=st.builds(
        Recipe, num_iterations=..., batch_size=..., seed=..., max_seconds=st.none(), cross_validate=st.just(True)
    ),
)
any_suggest = st.builds(SuggestRequest, texts=_texts, n=...)
any_promote = st.builds(
    PromoteRequest,
    said=any_said,
    require=st.builds(
        Requirement,
        rows=any_rows,
        not_worse=...,
        must_pass=any_rows,
        min_recall=st.dictionaries(st.text(max_size=9), number, max_size=3),
    ),
    must_pass=st.none() | any_rows,
)
_sides = st.builds(SideReport, total=_at_least_one, recall=st.dictionaries(st.text(max_size=9), number, max_size=3))
any_promotion = st.builds(
    Promotion,
    any_alias,
    st.builds(
        GateReport,
        checks=st.lists(
            st.builds(Check, condition=st.sampled_from(["must_pass", "not_worse", "min_recall"])), max_size=3
        ).map(tuple),
        failed_rows=st.lists(st.builds(FailedRow), max_size=3).map(tuple),
        candidate=st.none() | _sides,
        current=st.none() | _sides,
    ),
)

any_job = st.builds(
    Job,
    created_at=any_time,
    base_model=...,
    recipe=st.builds(Recipe, num_iterations=..., max_seconds=_score, cross_validate=...),
    started_at=st.none() | any_time,
    finished_at=st.none() | any_time,
    ahead=...,
    progress=st.none() | st.builds(Progress, step=count, of=count, loss=_score, seconds_left=_score),
    revision=...,
    next_name=...,
    problem=st.none()
    | st.builds(Problem, facts=st.dictionaries(st.text(max_size=9), st.none() | st.integers() | st.text(max_size=9))),
)
any_forecast = st.builds(
    Forecast,
    seconds=number,
    wait_seconds=number,
    parts=st.lists(st.builds(ForecastPart, seconds=number), max_size=3).map(tuple),
)
