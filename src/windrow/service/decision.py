"""Decisions: which classifier answers each question about a text, and what is answered without one."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

from windrow.domain.binding import Binding
from windrow.domain.caller import current_caller
from windrow.domain.decision import DecideRequest, Question, check_decide_request
from windrow.domain.errors import InvalidArtifact, NotFound
from windrow.domain.names import read_reference
from windrow.domain.prediction import IsConnected
from windrow.execution.decision_plan import DecisionAnswer, DecisionPlan, PlannedQuestion
from windrow.service.classification import usual_base_model
from windrow.service.dependencies import Dependencies
from windrow.service.question_labels import labels_of, no_label_for
from windrow.storage.catalog import ResolvedModel


class _OnDiskError(Exception):
    """What a name means is not known in memory."""


def start_decide(deps: Dependencies, request: DecideRequest, is_connected: IsConnected) -> "Future[DecisionAnswer]":
    """Answer questions without waiting for the encoder. See ``LocalOperations.start_decide``."""
    _check(deps, request)
    find = _on_disk(deps)
    while True:
        routes = _routes(deps, request, find)
        try:
            return _start(deps, request, routes, is_connected)
        except InvalidArtifact:
            # What was purged since it was found is not damaged; what is there now answers, or is not found.
            find = deps.store.find
            if _routes(deps, request, find).revisions == routes.revisions:
                raise


def start_decide_in_memory(
    deps: Dependencies, request: DecideRequest, is_connected: IsConnected
) -> "Future[DecisionAnswer] | None":
    """Answer questions without reading the disk. See ``LocalOperations.start_decide_in_memory``."""
    _check(deps, request)

    def find(name: str) -> ResolvedModel:
        if _is_own_latest(name) or (model := deps.models.known(name)) is None:
            raise _OnDiskError
        return model

    try:
        routes = _routes(deps, request, find)
    except _OnDiskError:
        return None
    if any(deps.predictor.find_loaded(each) is None for each in routes.revisions):
        return None
    if routes.needs_encoder and usual_base_model(deps) not in deps.encoders:
        return None
    return _start(deps, request, routes, is_connected)


def _check(deps: Dependencies, request: DecideRequest) -> None:
    check_decide_request(request, deps.settings.predict_limits)
    deps.quotas.check_texts(1)


def _on_disk(deps: Dependencies) -> Callable[[str], ResolvedModel]:
    def find(name: str) -> ResolvedModel:
        return deps.store.find(name) if _is_own_latest(name) else deps.models.known(name) or deps.models.find(name)

    return find


def _is_own_latest(name: str) -> bool:
    """Whether a name means to this caller, of a task's versions that it knows, maybe another one than to others."""
    return bool(current_caller().only) and read_reference(name).is_latest


@dataclass(slots=True)
class _Routes:
    """What answers each question: numbers of revisions, each of which is there once."""

    revisions: list[ResolvedModel] = field(default_factory=list)
    questions: list[PlannedQuestion] = field(default_factory=list)

    def add(self, question: Question, model: ResolvedModel, labels: tuple[str | None, ...]) -> None:
        """Have a classifier answer a question."""
        if model not in self.revisions:
            self.revisions.append(model)
        self.questions.append(PlannedQuestion(question, self.revisions.index(model), labels))

    @property
    def needs_encoder(self) -> bool:
        """Whether an encoder without a classifier takes part."""
        return any(each.is_zero_shot for each in self.questions)


def _routes(deps: Dependencies, request: DecideRequest, find: Callable[[str], ResolvedModel]) -> _Routes:
    """Return what answers each question, each looked at by itself.

    The classifier that the request names answers what it has labels for. Else the one that the question's name means
    does. Else, again, the one that the request names, if it knows some of the options, or if nothing else is asked: it
    refuses what it has no label for. What is left is answered without a classifier.
    """
    named = None if request.model_name is None else find(request.model_name)
    routes = _Routes()
    for number, question in enumerate(request.questions):
        binding = _binding(deps, question)
        if named is not None and _is_known(labels := labels_of(named.entry.record, question, binding)):
            routes.add(question, named, labels)
            continue
        model = _by_name(deps, question, binding, find)
        if model is None and named is not None and (len(request.questions) == 1 or any(labels)):
            model = named
        labels = () if model is None else labels_of(model.entry.record, question, binding)
        if model is not None and not _is_known(labels) and not request.zero_shot_options:
            raise no_label_for(number, question, model.entry.record, labels)
        if model is None or not any(labels):
            routes.questions.append(PlannedQuestion(question))
        else:
            routes.add(question, model, labels)
    return routes


def _is_known(labels: tuple[str | None, ...]) -> bool:
    return None not in labels


def _binding(deps: Dependencies, question: Question) -> Binding | None:
    """Return what is bound to the name of a question, if the caller knows that name."""
    if question.name is None or not current_caller().knows(question.name):
        return None
    return deps.questions.binding(question.name)


def _by_name(
    deps: Dependencies, question: Question, binding: Binding | None, find: Callable[[str], ResolvedModel]
) -> ResolvedModel | None:
    """Return the classifier that the name of a question is bound to, or the one that has it, if the caller knows it.

    Raises:
        NotFound: The name is bound to what does not answer.
    """
    if binding is not None:
        return find(binding.model_name)
    name = question.name
    if name is None or not deps.questions.may_name(name) or not current_caller().knows(name):
        return None
    try:
        return find(name)
    except NotFound:
        return None


def _start(
    deps: Dependencies, request: DecideRequest, routes: _Routes, is_connected: IsConnected
) -> "Future[DecisionAnswer]":
    """Start to answer the questions, and count the text, with those of options that are to be encoded anew."""
    predictor = deps.predictor
    loaded = [predictor.load(each) for each in routes.revisions]
    encoder = deps.encoders.get(usual_base_model(deps)) if routes.needs_encoder else None
    plan = DecisionPlan(request.text, routes.questions, routes.revisions, loaded, encoder)
    keys = plan.keys()
    plan.new.extend(predictor.new_keys(keys))
    own = {key for key in keys if key[1] == plan.text_digest}
    texts = 1 + len({*plan.new} - own)
    deps.quotas.check_texts(texts)
    answer = predictor.follow(plan, plan.texts, is_connected)
    deps.counters.count_predictions((each.entry.record.name for each in routes.revisions), 1)
    deps.quotas.count_texts(texts)
    return answer
