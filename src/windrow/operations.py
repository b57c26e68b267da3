"""Operations: every verb of the product, once. ``Service`` does them here, a client over HTTP.

A verb takes one value and returns one; ``api/endpoints.py`` names each verb's endpoint, and reads what it takes and
returns from the annotations here. Wherever a classifier is only read, ``model_name`` may also be an alias, a revision
(``tickets_v2@3``) or a task's highest version (``tickets@latest``). Every verb raises ``StorageFailed`` where the data
directory cannot be read. Every verb that changes something raises ``StorageFull``, ``StorageFailed`` or
``ConcurrentChange`` where it changed nothing.

A server raises ``Unauthorized`` where a request comes without a valid API key, ``InsufficientScope`` where the key does
not allow the verb, and ``NameNotAllowed`` where it may not give a name. What the key does not know is not found.
"""

from collections.abc import Iterator
from typing import BinaryIO, Protocol

from windrow.access_operations import AccessOperations
from windrow.domain.alias import (
    AliasChangeRequest,
    AliasHistory,
    AliasList,
    AliasRemoval,
    AliasRequest,
    PromoteRequest,
    Promotion,
    Rollback,
)
from windrow.domain.archive import Export, ExportRequest, Imported, ImportRequest
from windrow.domain.base_models import BaseModelList, BaseModelRemoval, BaseModelRequest
from windrow.domain.binding import BindingChange, BindingList, BindRequest
from windrow.domain.classification import Classification, ClassifyRequest
from windrow.domain.classifier import (
    BulkDeletion,
    Classifier,
    ClassifierDetails,
    Copied,
    CopyRequest,
    DeleteRequest,
    Deletion,
    DescribeRequest,
    FitRequest,
    FitResult,
    ModelRequest,
    Restored,
    RestoreRequest,
)
from windrow.domain.comparison import CompareRequest, Comparison
from windrow.domain.cross_validation import CrossValidateRequest, CrossValidation
from windrow.domain.erasure import Erasure, ForgetRequest
from windrow.domain.file_prediction import StartPredictFilesRequest
from windrow.domain.inspection import Inspection, InspectRequest
from windrow.domain.integrity import FsckRequest, IntegrityReport
from windrow.domain.job import FitEstimate, Job, JobList, JobListRequest, JobRequest, OnProgress
from windrow.domain.listing import DeleteAllRequest, Listing, ListRequest
from windrow.domain.multi_label_comparison import MultiLabelComparison
from windrow.domain.multi_label_cross_validation import MultiLabelCrossValidation
from windrow.domain.multi_label_report import MultiLabelReport
from windrow.domain.prediction import IsConnected, Prediction, PredictRequest, always_connected
from windrow.domain.report import EvaluateRequest, Report
from windrow.domain.report_page import ReportPage, ReportRequest
from windrow.domain.reproduction import Reproduction
from windrow.domain.suggestion import Suggestions, SuggestRequest
from windrow.domain.threshold import SetThresholdRequest, ThresholdUpdate
from windrow.domain.usage import Usage


class Operations(AccessOperations, Protocol):
    """What Windrow can do."""

    def fit(self, request: FitRequest, on_progress: OnProgress = ...) -> FitResult:
        """Train a classifier, save it, and return it once it answers.

        Until the new revision is whole on disk, an existing classifier of that name goes on answering. It is a job
        like one of :meth:`start_fit`: others can watch and cancel it. Where an equal training waits or runs in the same
        process, this one joins it. What it extends is found out once, when it begins, and named in the reply.

        Args:
            request: Name, rows and recipe.
            on_progress: Called now and then as the training goes on, from any thread.

        Raises:
            Overloaded: The queue of trainings is full.
            TrainingCancelled: It was cancelled; an earlier revision still answers.
            ShuttingDown: The process that trained it is stopping.
            InvalidInput: A rule or limit is broken (name, rows, parameters, notes, base model).
            NameTaken: The name is an alias's, or another one differs only in case.
            ClassifierExists: The name exists, and the request does not overwrite.
            NotFound: What it extends is not there.
            TrainingDataNotKept: Of what it extends, no training rows are kept.
            BaseModelUnavailable: The base model is not on this machine and cannot be downloaded.
            TrainingFailed: The training process failed; an earlier revision still answers.
        """
        ...

    def start_fit(self, request: FitRequest) -> Job:
        """Start a :meth:`fit` and return its job at once.

        Raises:
            InvalidInput: A rule or limit is broken; errors of the training itself are in the job.
            NameTaken: The name is an alias's, or another one differs only in case.
            ClassifierExists: The name exists, and the request does not overwrite.
            NotFound: What it extends is not there.
            TrainingDataNotKept: Of what it extends, no training rows are kept.
            Overloaded: The queue of trainings is full.
        """
        ...

    def estimate_fit(self, request: FitRequest) -> FitEstimate:
        """Estimate the time and the memory that a training takes, with reasons, and start nothing.

        Raises:
            InvalidInput: A rule or limit is broken.
            NameTaken: The name is an alias's, or another one differs only in case.
            ClassifierExists: The name exists, and the request does not overwrite.
            NotFound: What it extends is not there.
            TrainingDataNotKept: Of what it extends, no training rows are kept.
            BaseModelUnavailable: The base model is not on this machine and cannot be downloaded.
        """
        ...

    def start_predict_files(self, request: StartPredictFilesRequest) -> Job:
        """Start to classify each row of files, and return the job of it at once.

        Whoever does this verb, such as the server, reads the files and writes the rows with their labels to a folder,
        shard by shard; both lie below one of its ``WINDROW_FILE_ROOTS``. All rows are answered by one revision. A job
        that broke off goes on behind its last shard when it is started again as it was. Where an equal one waits or
        runs in the same process, this one joins it.

        Raises:
            PlaceNotAllowed: The input or the output lies below no such place.
            InvalidInput: A name, a place or an option breaks a rule; what is wrong with the files is in the job.
            NotFound: The name refers to nothing.
            InvalidArtifact: The saved classifier is damaged.
            RateLimited: The API key has used up its texts of the day.
            Overloaded: The queue of predictions of files is full.
        """
        ...

    def list_jobs(self, request: JobListRequest) -> JobList:
        """Return the newest jobs, the newest one first, of every process on the data directory.

        An API key without the scope ``read`` sees the jobs alone that it started.

        Raises:
            InvalidParameter: The limit lies outside its range.
        """
        ...

    def job(self, request: JobRequest) -> Job:
        """Return a job as it is now.

        Raises:
            JobNotFound: There is no such job.
        """
        ...

    def follow_job(self, request: JobRequest) -> Iterator[Job]:
        """Yield a job as it is now, then whenever something about it changed, until it is finished.

        Raises:
            JobNotFound: There is no such job.
        """
        ...

    def cancel_job(self, request: JobRequest) -> Job:
        """Stop a job that waits or runs, also one of another process, and return it once it has stopped.

        Nothing of a training is left behind; an earlier revision of that name still answers. A training that is being
        saved at that very moment is saved, and its job succeeds. Of a prediction of files, the shards that are done
        stay.

        Raises:
            JobNotFound: There is no such job.
            JobFinished: It ended already.
        """
        ...

    def predict(self, request: PredictRequest, is_connected: IsConnected = always_connected) -> tuple[Prediction, ...]:
        """Classify texts: several by one classifier, or one by several classifiers. All of it is answered, or nothing.

        Args:
            request: Names, texts and how many scores to give.
            is_connected: Called from any thread before anything costly is computed; returns whether the caller still
                waits.

        Returns:
            An answer for each text, or for each name, in their order; all of a name's come from one revision.

        Raises:
            InvalidInput: A name, a text, their number or ``top_k`` breaks a rule.
            NotFound: One of the names refers to nothing.
            InvalidArtifact: A saved classifier is damaged.
            Overloaded: The queue of requests is full.
            ClientClosedRequest: ``is_connected`` returned false.
        """
        ...

    def classify(
        self, request: ClassifyRequest, is_connected: IsConnected = always_connected
    ) -> tuple[Classification, ...]:
        """Classify texts without a classifier: by how similar they are to the names and descriptions of labels.

        Nothing is trained and nothing kept. A classifier that has seen a few rows of each label is mostly right more
        often, and is what to train as soon as there are some. A base model answers that is here anyway; in the place of
        any other model the default one, which the warnings say.

        Args:
            request: Texts, labels, and what else is said of the labels.
            is_connected: Called from any thread before anything costly is computed; returns whether the caller still
                waits.

        Returns:
            An answer for each text, in their order.

        Raises:
            InvalidInput: A text, a label, a description or the template breaks a rule, or there are too many of them.
            BaseModelNotAllowed: The default base model is not allowed, and no other one is.
            InvalidBaseModel: The base model's files cannot be used.
            Overloaded: The queue of requests is full.
            ClientClosedRequest: ``is_connected`` returned false.
        """
        ...

    def inspect(self, file: BinaryIO, request: InspectRequest) -> Inspection:
        """Read a file of rows as the command line reads it, and say what it is, what each row says, and what is wrong.

        CSV, TSV, JSON, JSONL and plain text are read, also as gzip. Nothing is guessed: what is not clear, such as
        which column holds the text, is told as a question, and answered by the request. A row with a problem is left
        out of the rows and named. Nothing is trained, and nothing of the file is kept.

        Args:
            file: The file, open for reading bytes, at its beginning.
            request: How to read it, and what to tell of it.

        Raises:
            InvalidParameter: An option of reading does not exist.
            InvalidFile: It is no table of text, it is damaged or in another encoding, or a column that the request
                names is not in it.
            LimitExceeded: It is larger, or has more rows, than a training may have.
        """
        ...

    def evaluate(self, request: EvaluateRequest) -> Report | MultiLabelReport:
        """Evaluate a classifier on labelled rows that it has not seen, and keep the score with it.

        The report is returned even if it cannot be saved because the classifier was deleted or retrained meanwhile. It
        is a :class:`MultiLabelReport` for a multi-label classifier, whose rows have any number of labels each.

        Raises:
            InvalidInput: A name, a target or a row breaks a rule, there are no rows, they have another form than
                the classifier's answers, or none has a label that the classifier knows.
            NotFound: The name refers to nothing.
            InvalidArtifact: The classifier is damaged.
        """
        ...

    def report(self, request: ReportRequest) -> ReportPage:
        """Evaluate a classifier as :meth:`evaluate` does, and return the result as one HTML page to keep and pass on.

        The page needs no other file, runs no script and asks no other host for anything. It shows the texts of
        misclassified rows.

        Raises:
            InvalidInput: A name, a target, the title or a row breaks a rule, there are no rows, or none has a
                label that the classifier knows.
            NotFound: The name refers to nothing.
            InvalidArtifact: The classifier is damaged.
        """
        ...

    def compare(self, request: CompareRequest) -> Comparison | MultiLabelComparison:
        """Compare several classifiers on the same rows, and recommend which to promote. Nothing is kept.

        The classifiers are of one kind; it is a :class:`MultiLabelComparison` for multi-label classifiers.

        Raises:
            InvalidInput: The names or a row break a rule, the classifiers are of both kinds, there are no rows, they
                have another form than the classifiers' answers, or none has a label that is known.
            NotFound: One of the names refers to nothing.
            InvalidArtifact: A classifier is damaged.
        """
        ...

    def cross_validate(
        self, request: CrossValidateRequest, is_connected: IsConnected = always_connected
    ) -> CrossValidation | MultiLabelCrossValidation:
        """Cross-validate a training: train on parts of the rows, evaluate on the rest. Nothing is kept.

        It is a :class:`MultiLabelCrossValidation` for rows with any number of labels each.

        Args:
            request: The rows and the training.
            is_connected: Called now and then, from any thread; once it returns false, the trainings end.

        Raises:
            ClientClosedRequest: ``is_connected`` returned false.
            InvalidInput: A row, a parameter or the base model breaks a rule, or no label has two different texts.
            BaseModelUnavailable: The base model is not on this machine and cannot be downloaded.
            Overloaded: The queue of trainings is full.
            TrainingFailed: A training process failed.
        """
        ...

    def suggest(self, request: SuggestRequest) -> Suggestions:
        """Choose the texts of a pool that are most worth labelling: likely new classes first, then uncertain texts.

        Raises:
            InvalidInput: The name, the number or a text breaks a rule.
            NotFound: The name refers to nothing.
            InvalidArtifact: The classifier is damaged.
        """
        ...

    def list_classifiers(self, request: ListRequest) -> Listing:
        """Return the newest revision of every classifier that is not deleted, sorted by name, or a part of that list.

        Raises:
            InvalidInput: The request breaks a rule.
        """
        ...

    def show(self, request: ModelRequest) -> ClassifierDetails:
        """Return everything that is known about a classifier: what a person must note to train it again, and more.

        Raises:
            InvalidName: The name breaks the grammar.
            NotFound: The name refers to nothing.
            InvalidArtifact: The record is damaged.
        """
        ...

    def describe(self, request: DescribeRequest) -> Classifier:
        """Change the description and the tags of a classifier.

        Raises:
            InvalidInput: The name, the description or a tag breaks a rule.
            ClassifierNotFound: No classifier has this name.
        """
        ...

    def set_threshold(self, request: SetThresholdRequest) -> ThresholdUpdate:
        """Set or clear the score below which a classifier gives no label, from the next prediction on.

        Of a multi-label classifier, it also sets or clears the scores from which its labels are given. Each change is
        kept in the record, with who made it, when and why. The conditions of aliases are not looked at again. A new
        training begins without a threshold, and an older revision that is restored has its own.

        Raises:
            InvalidInput: The name, a score or the note breaks a rule, or the classifier has no thresholds of labels, or
                not of those.
            NotFound: There is no such classifier or revision.
            ConcurrentChange: The revision that was named is not the one that answers.
        """
        ...

    def delete(self, request: DeleteRequest) -> Deletion:
        """Delete a classifier, at once and for every server on the same data directory.

        Raises:
            InvalidInput: The name breaks the grammar, or a single revision is not to be purged.
            NotFound: There is no such classifier or revision, or it is deleted already and not to be purged.
            ClassifierInUse: An alias points to it, or the revision is the one that answers.
        """
        ...

    def delete_all(self, request: DeleteAllRequest) -> BulkDeletion:
        """Delete every classifier of a selection that answers: none if an alias is in the way of one of them.

        They are deleted one after the other. What others change meanwhile is left alone and told as skipped, and so is
        what is left when the disk fails.

        Raises:
            InvalidParameter: The selection leaves nothing out.
            ClassifierInUse: An alias points to some of them.
        """
        ...

    def restore(self, request: RestoreRequest) -> Restored:
        """Bring a deleted classifier back as it was, or make an older revision (``name@revision``) answer again.

        Raises:
            InvalidName: The name breaks the grammar.
            NotFound: There is no such classifier or revision, or it is purged.
            NotDeleted: It answers already.
            NameTaken: Its name is now an alias's, or differs only in case from another one.
            InvalidArtifact: Its files are damaged.
        """
        ...

    def copy(self, request: CopyRequest) -> Copied:
        """Copy a classifier to a second name: its weights, rows, notes and measurements.

        The copy is a classifier of its own, which remembers where it comes from. Neither of the two depends
        on the other. Where the disk has hard links, it takes the room of its record alone.

        Raises:
            InvalidName: A name breaks the grammar.
            NotFound: There is nothing to copy.
            NameTaken: The new name is an alias's, or another one differs only in case.
            ClassifierExists: The new name exists, and the request does not overwrite.
            InvalidArtifact: The classifier is damaged.
        """
        ...

    def promote(self, request: PromoteRequest) -> Promotion:
        """Point an alias at a classifier, which is loaded before: each prediction comes from the old or the new one.

        What the request requires, and the rows that the alias keeps, are checked first. Unless every condition is
        met, nothing changes.

        Raises:
            InvalidInput: A name, the reason, the author, a row or a condition breaks a rule.
            NotFound: There is no such classifier.
            NameTaken: A classifier has the alias's name, or another name differs only in case.
            InvalidArtifact: The classifier is damaged, so the alias stays where it points.
            BaseModelUnavailable: Its base model is not on this machine, so the alias stays where it points.
            PromotionRefused: A condition is not met.
        """
        ...

    def rollback(self, request: AliasChangeRequest) -> Rollback:
        """Point an alias back to where it pointed before its last promotion; again goes one further back.

        Raises:
            InvalidInput: The name or the note breaks a rule.
            AliasNotFound: There is no such alias.
            NothingToRollBack: It has pointed nowhere before, or that classifier is gone.
            InvalidArtifact: That classifier is damaged, so the alias stays where it points.
            BaseModelUnavailable: Its base model is not on this machine, so the alias stays where it points.
        """
        ...

    def remove_alias(self, request: AliasChangeRequest) -> AliasRemoval:
        """Remove an alias; the classifier that it points to stays, and so does its history.

        Raises:
            InvalidInput: The name or the note breaks a rule.
            AliasNotFound: There is no such alias.
        """
        ...

    def list_aliases(self) -> AliasList:
        """Return every alias, sorted by name."""
        ...

    def alias_history(self, request: AliasRequest) -> AliasHistory:
        """Return each change of an alias, the first one first, also of one that was removed.

        Raises:
            InvalidName: The name breaks the grammar.
            AliasNotFound: There never was such an alias.
        """
        ...

    def bind(self, request: BindRequest) -> BindingChange:
        """Have a classifier answer questions of a name, in requests of other servers' formats; or no classifier.

        It holds at once, on other servers of the data directory within a second. A question that is bound already is
        bound anew.

        Raises:
            InvalidInput: The question, the name or a label breaks a rule, or the classifier has no such label.
            NotFound: There is no such classifier.
            InvalidArtifact: The classifier or the bindings are damaged.
        """
        ...

    def list_bindings(self) -> BindingList:
        """Return which classifiers answer which questions, sorted by question.

        Raises:
            InvalidArtifact: The bindings are damaged.
        """
        ...

    def export(self, request: ExportRequest) -> Export:
        """Return a classifier as one file: for :meth:`import_classifier`, or to answer without Windrow.

        Digests are checked first.

        Raises:
            InvalidParameter: There is no such form, or it has no place for training data.
            InvalidName: The name breaks the grammar.
            NotFound: The name refers to nothing.
            TrainingDataNotKept: The training rows were not kept.
            InvalidArtifact: The classifier is damaged.
            BaseModelNotAllowed: Without Windrow, it needs its base model, whose id is no longer on the allow-list.
            BaseModelUnavailable: That base model is not here.
            InvalidBaseModel: That base model's files cannot be used.
        """
        ...

    def import_classifier(self, file: BinaryIO, request: ImportRequest) -> Imported:
        """Import an exported classifier. Everything is checked before anything is written.

        Args:
            file: The export, open for reading at any place.
            request: Its name here, and whether to save it.

        Raises:
            InvalidName: The name breaks the grammar.
            InvalidArchive: The file is no whole export, or holds something else.
            BaseModelNotAllowed: Its base model's id is not on the allow-list.
            NameTaken: The name is an alias's, or another one differs only in case.
            ClassifierExists: The name exists, and the request does not overwrite.
        """
        ...

    def reproduce(
        self, request: ModelRequest, on_progress: OnProgress = ..., is_connected: IsConnected = always_connected
    ) -> Reproduction:
        """Train a classifier again from its kept rows and its record, compare the two, and save nothing.

        Args:
            request: The classifier.
            on_progress: Called now and then as the training goes on, from any thread.
            is_connected: Called now and then, from any thread; once it returns false, the training ends.

        Raises:
            ClientClosedRequest: ``is_connected`` returned false.
            InvalidName: The name breaks the grammar.
            NotFound: The name refers to nothing.
            TrainingDataNotKept: The training rows were not kept.
            LimitExceeded: They are more, or longer, than this server trains on.
            InvalidArtifact: The classifier is damaged.
            BaseModelUnavailable: The base model is not here, or is another one than at the training.
            Overloaded: The queue of trainings is full.
            TrainingFailed: The training process failed.
        """
        ...

    def base_models(self) -> BaseModelList:
        """Return the base models on this machine, and how many classifiers use each."""
        ...

    def remove_base_model(self, request: BaseModelRequest) -> BaseModelRemoval:
        """Remove a base model that no classifier uses, and return how many bytes that freed.

        Raises:
            InvalidParameter: The id is malformed.
            BaseModelNotFound: It is not on this machine.
            BaseModelInUse: A classifier uses it, also a deleted one that can be restored, or it came with Windrow.
        """
        ...

    def usage(self) -> Usage:
        """Return what the data directory holds, in bytes."""
        ...

    def fsck(self, request: FsckRequest) -> IntegrityReport:
        """Read the whole data directory and check every digest."""
        ...

    def forget(self, request: ForgetRequest) -> Erasure:
        """Find texts in the training rows that are kept, and remove the rows or what has learned from them.

        Rows that aliases keep are looked at too. What was exported or backed up is not reached from here.

        Raises:
            InvalidInput: There is no text, one is blank or too long, or a digest or the action is none.
            InvalidArtifact: Kept rows cannot be read, so those of that classifier stay.
        """
        ...
