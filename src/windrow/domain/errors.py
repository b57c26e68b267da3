"""The errors that Windrow raises on purpose, each with a stable ``code``.

An error holds its code and typed facts; its sentences are a template, which each surface renders in its own words.

::

    WindrowError
    ├── InvalidInput
    │   ├── InvalidName               invalid_name
    │   ├── InvalidTrainingData       invalid_training_data
    │   ├── InvalidTestData           invalid_test_data
    │   ├── InvalidText               invalid_text
    │   ├── InvalidJson               invalid_json
    │   ├── InvalidRequest            invalid_request
    │   ├── InvalidParameter          invalid_parameter
    │   ├── LimitExceeded             limit_exceeded
    │   ├── BaseModelNotAllowed       base_model_not_allowed
    │   ├── InvalidFile               invalid_file
    │   └── InvalidArchive            invalid_archive
    ├── NotFound
    │   ├── ClassifierNotFound        classifier_not_found
    │   ├── RevisionNotFound          revision_not_found
    │   ├── AliasNotFound             alias_not_found
    │   ├── BaseModelNotFound         base_model_not_found
    │   ├── JobNotFound               job_not_found
    │   └── KeyNotFound               key_not_found
    ├── AccessDenied
    │   ├── Unauthorized              unauthorized
    │   ├── InsufficientScope         insufficient_scope
    │   ├── NameNotAllowed            name_not_allowed
    │   └── PlaceNotAllowed           place_not_allowed
    ├── Conflict
    │   ├── NameTaken                 name_taken
    │   ├── ClassifierExists          classifier_exists
    │   ├── ClassifierInUse           classifier_in_use
    │   ├── NotDeleted                not_deleted
    │   ├── NothingToRollBack         nothing_to_roll_back
    │   ├── TrainingDataNotKept       training_data_not_kept
    │   ├── BaseModelInUse            base_model_in_use
    │   ├── PromotionRefused          promotion_refused
    │   ├── TrainingCancelled         training_cancelled
    │   ├── FilePredictionCancelled   file_prediction_cancelled
    │   ├── JobFinished               job_finished
    │   ├── KeyExists                 key_exists
    │   └── ConcurrentChange          concurrent_change
    ├── Unavailable
    │   ├── BaseModelUnavailable      base_model_unavailable
    │   ├── ClusterUnavailable        cluster_unavailable
    │   ├── ShuttingDown              shutting_down
    │   ├── Overloaded                overloaded
    │   ├── RateLimited               rate_limited
    │   └── ClientClosedRequest       client_closed_request
    └── Failure
        ├── InvalidBaseModel          invalid_base_model
        ├── StorageFull               storage_full
        ├── StorageFailed             storage_failed
        │   ├── StorageUncertain      storage_uncertain
        │   └── DataDirectoryUnavailable data_directory_unavailable
        ├── InvalidArtifact           invalid_artifact
        ├── KeysUnavailable           keys_unavailable
        ├── DeploymentFailed          deployment_failed
        └── TrainingFailed            training_failed

The six families are for ``except`` clauses; only what has a code is raised.
"""

from collections.abc import Iterator, Mapping
from typing import ClassVar

from windrow.domain.words import PYTHON, Words, render


class WindrowError(Exception):
    """What went wrong and what to do next.

    Args:
        template: One or two sentences, with places for facts and parameters (:mod:`windrow.domain.words`); the last
            one says what to do.
        facts: JSON-ready values for a program (``row``, ``limit``, ``near_names`` …), and what the sentences name.
    """

    code: ClassVar[str] = ""
    """Stable, for programs; families have none."""

    def __init__(self, template: str, facts: Mapping[str, object] | None = None) -> None:
        super().__init__(template)
        self.template = template
        self.facts: dict[str, object] = dict(facts or {})

    def __str__(self) -> str:
        return self.told()

    @property
    def detail(self) -> str:
        """The sentences in the words of Python."""
        return self.told()

    def told(self, words: Words = PYTHON) -> str:
        """Return the sentences in a surface's own words."""
        return render(self.template, self.facts, words)


class InvalidInput(WindrowError):
    """What the caller sent cannot be right, now or later."""


class InvalidName(InvalidInput):
    """A name does not follow the grammar of names."""

    code = "invalid_name"


class InvalidTrainingData(InvalidInput):
    """The training rows break a rule; ``facts["row"]`` names the first such row, from 0."""

    code = "invalid_training_data"


class InvalidTestData(InvalidInput):
    """The test rows break a rule; ``facts["row"]`` names the first such row, from 0."""

    code = "invalid_test_data"


class InvalidText(InvalidInput):
    """A text to predict is empty, blank or no valid Unicode."""

    code = "invalid_text"


class InvalidJson(InvalidInput):
    """What is to be read is no strict JSON."""

    code = "invalid_json"


class InvalidRequest(InvalidInput):
    """A request has another shape; ``facts["problems"]`` lists up to ten places."""

    code = "invalid_request"


class InvalidParameter(InvalidInput):
    """A number or choice lies outside its range; ``facts`` names it and the range."""

    code = "invalid_parameter"


class LimitExceeded(InvalidInput):
    """More was sent than a setting allows; ``facts`` holds ``limit`` and ``setting``."""

    code = "limit_exceeded"


class BaseModelNotAllowed(InvalidInput):
    """The base model's id is not on this server's allow-list."""

    code = "base_model_not_allowed"


class InvalidFile(InvalidInput):
    """A file of rows is no table, a row of it is wrong, or it is not clear how to read it.

    ``facts["line"]`` names the line, from 1; ``facts["parameter"]`` the option that says how to read it.
    """

    code = "invalid_file"


class InvalidArchive(InvalidInput):
    """A file to import is no whole export of a classifier; ``facts["problem"]`` says what is wrong with it."""

    code = "invalid_archive"


class NotFound(WindrowError):
    """What was named does not exist (any more)."""


class ClassifierNotFound(NotFound):
    """No classifier has this name; ``facts["near_names"]`` lists up to three that are close."""

    code = "classifier_not_found"


class RevisionNotFound(NotFound):
    """The classifier has no such revision (any more); ``facts["revisions"]`` lists those that it has."""

    code = "revision_not_found"


class AliasNotFound(NotFound):
    """No alias has this name; ``facts["near_names"]`` lists up to three that are close."""

    code = "alias_not_found"


class BaseModelNotFound(NotFound):
    """The base model is not on this machine; ``facts["base_models"]`` lists those that are."""

    code = "base_model_not_found"


class JobNotFound(NotFound):
    """No job has this id (any more): only the newest finished ones are kept."""

    code = "job_not_found"


class KeyNotFound(NotFound):
    """No API key has this name."""

    code = "key_not_found"


class AccessDenied(WindrowError):
    """The caller may not do this."""


class Unauthorized(AccessDenied):
    """The request came without an API key, or with one that is not valid."""

    code = "unauthorized"


class InsufficientScope(AccessDenied):
    """The API key lacks a scope; ``facts["scope"]`` names it."""

    code = "insufficient_scope"


class NameNotAllowed(AccessDenied):
    """The API key may not give this name to anything; ``facts["only"]`` lists the patterns of those that it may."""

    code = "name_not_allowed"


class PlaceNotAllowed(AccessDenied):
    """The server may not read or write this place for a client; ``facts["setting"]`` says where it may."""

    code = "place_not_allowed"


class Conflict(WindrowError):
    """The request is sound, but something else stands in its way."""


class NameTaken(Conflict):
    """The name belongs to an alias, or to a classifier where an alias is wanted, or differs from one only in case."""

    code = "name_taken"


class ClassifierExists(Conflict):
    """A classifier of this name exists, and the request says that it must not."""

    code = "classifier_exists"


class ClassifierInUse(Conflict):
    """An alias points to it; ``facts["aliases"]`` lists which, if the API key knows them. ``force`` does it."""

    code = "classifier_in_use"


class NotDeleted(Conflict):
    """What is to be restored answers already."""

    code = "not_deleted"


class NothingToRollBack(Conflict):
    """The alias has pointed nowhere else before, or what it pointed to is gone."""

    code = "nothing_to_roll_back"


class TrainingDataNotKept(Conflict):
    """The training rows were not kept, so the training cannot be repeated."""

    code = "training_data_not_kept"


class BaseModelInUse(Conflict):
    """Classifiers were trained on the base model, or it came with Windrow."""

    code = "base_model_in_use"


class PromotionRefused(Conflict):
    """A condition of the promotion is not met; ``facts["checks"]`` lists each condition and what was found."""

    code = "promotion_refused"


class TrainingCancelled(Conflict):
    """The training was cancelled; nothing was saved. ``facts["job_id"]`` is its id."""

    code = "training_cancelled"


class FilePredictionCancelled(Conflict):
    """Classifying files was cancelled; the shards that were done stay. ``facts["job_id"]`` is its job's id."""

    code = "file_prediction_cancelled"


class JobFinished(Conflict):
    """The job ended already, so it cannot be cancelled; ``facts["state"]`` says how."""

    code = "job_finished"


class KeyExists(Conflict):
    """An API key has, or had, this name."""

    code = "key_exists"


class ConcurrentChange(Conflict):
    """Another process has been changing the data directory for too long."""

    code = "concurrent_change"


class Unavailable(WindrowError):
    """Not possible now; it may be later, or after the step that the detail names."""


class BaseModelUnavailable(Unavailable):
    """The base model is neither on this machine nor can it be downloaded."""

    code = "base_model_unavailable"


class ClusterUnavailable(Unavailable):
    """Ray is not installed here, or its cluster cannot be reached or used; ``facts["problem"]`` says why.

    For trainings it is ``unreachable``, ``lost``, ``other_versions``, ``windrow_missing`` or ``no_processors``.
    """

    code = "cluster_unavailable"


class ShuttingDown(Unavailable):
    """The server is stopping and takes no new work."""

    code = "shutting_down"


class Overloaded(Unavailable):
    """More requests wait already than may wait; ``facts["retry_after_s"]`` is when to try again, in whole seconds."""

    code = "overloaded"


class RateLimited(Unavailable):
    """The API key has used up a limit; ``facts["limit"]`` is that limit, ``facts["quota"]`` its name.

    ``facts["retry_after_s"]`` is when to try again, in whole seconds, where waiting helps.
    """

    code = "rate_limited"


class ClientClosedRequest(Unavailable):
    """The caller left before the answer, so the rest was not computed."""

    code = "client_closed_request"


class Failure(WindrowError):
    """Something on this machine failed; the caller did nothing wrong."""


class InvalidBaseModel(Failure):
    """A base model's folder is incomplete, altered or of a kind that Windrow cannot run."""

    code = "invalid_base_model"


class StorageFull(Failure):
    """The disk is full or a quota is used up, or less is free than trainings leave; nothing was saved."""

    code = "storage_full"


class StorageFailed(Failure):
    """The data directory cannot be read or written."""

    code = "storage_failed"


class StorageUncertain(StorageFailed):
    """The change holds, at least in part, but the disk did not confirm that it outlives a power cut.

    Look what is there before you repeat it.
    """

    code = "storage_uncertain"


class DataDirectoryUnavailable(StorageFailed):
    """The data directory is gone, does not answer, or another one is in its place; ``facts["problem"]`` says which.

    It is ``missing``, ``replaced``, ``unreadable`` or ``stalled``. All is as before once it is back.
    """

    code = "data_directory_unavailable"


class InvalidArtifact(Failure):
    """A saved classifier's files are missing, altered or of an unknown format."""

    code = "invalid_artifact"


class KeysUnavailable(Failure):
    """The API keys cannot be read, so that every key is refused."""

    code = "keys_unavailable"


class DeploymentFailed(Failure):
    """The replicas of a deployment do not start, or its nodes differ; an earlier deployment goes on answering."""

    code = "deployment_failed"


class TrainingFailed(Failure):
    """The training process died, ran out of memory or failed; nothing was saved."""

    code = "training_failed"


def class_of(code: str) -> type[WindrowError] | None:
    """Return the class of this module that a code stands for; ``None`` where none does."""
    return _BY_CODE.get(code)


def _coded(family: type[WindrowError]) -> Iterator[type[WindrowError]]:
    for error in family.__subclasses__():
        if error.code:
            yield error
        yield from _coded(error)


CODED = tuple(_coded(WindrowError))
_BY_CODE = {error.code: error for error in CODED}
