"""Forgets texts: finds them in kept rows, and removes the rows or what has learned from them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from windrow.domain.erasure import AffectedAlias, AffectedRevision, Erasure, ForgetRequest, TextMatcher, check_forget
from windrow.domain.job import JOBS_RANGE, Job
from windrow.domain.labelled_rows import LabelledRow
from windrow.domain.names import Reference
from windrow.service.dependencies import Dependencies
from windrow.storage.erasure import Erasing, LearnedRevision


def forget(deps: Dependencies, request: ForgetRequest) -> Erasure:
    """Find texts in kept rows, and remove what is asked for. See ``Operations.forget``."""
    check_forget(request, deps.settings.limits)
    # What these keep is there to be searched.
    ended = {job.id for job in deps.jobs.newest(JOBS_RANGE[1], lambda job: job.is_finished)}
    rows_of_jobs = deps.jobs.rows_in_memory()
    matches = TextMatcher(request)
    erasing = Erasing(deps.store.names, deps.store.catalog.blobs)
    found = list(erasing.revisions(matches))
    aliases = [AffectedAlias(alias=alias, rows=rows, status="found") for alias, rows in erasing.aliases(matches)]
    affected = [_affected(deps, each) for each in found if each.rows]
    if request.action == "remove_rows":
        for name in sorted({each.model_name for each in affected}):
            erasing.remove_rows(name, matches)
        affected = [replace(each, status="rows_removed") for each in affected]
    elif request.action == "purge":
        affected = _purge(deps, affected, force=request.force)
    if request.action != "find":
        erasing.finish()
        for each in aliases:
            erasing.remove_from_alias(each.alias, matches)
        aliases = [replace(each, status="rows_removed") for each in aliases]
        deps.predictor.forget_texts()
    return Erasure(
        action=request.action,
        revisions=tuple(affected),
        aliases=tuple(aliases),
        unknown=tuple(
            str(Reference(each.state.record.name, each.state.record.revision)) for each in found if each.rows is None
        ),
        unsearched_jobs=tuple(_unsearched(deps, matches, ended, rows_of_jobs)),
    )


def _unsearched(
    deps: Dependencies, matches: TextMatcher, ended: Collection[str], rows_of_jobs: Mapping[str, Sequence[LabelledRow]]
) -> Iterator[str]:
    """Yield the trainings that hold one of the texts, or may hold one, and that were not among what was searched.

    Args:
        deps: What the verbs work with.
        matches: Tells which texts are meant.
        ended: The jobs that had ended before the search.
        rows_of_jobs: What was known then of the rows of others.
    """
    jobs = [job.id for job in deps.jobs.newest(JOBS_RANGE[1], _keeps_rows) if job.id not in ended]
    # Those that began meanwhile may have read rows that were there then.
    known = {**rows_of_jobs, **deps.jobs.rows_in_memory()}
    for job_id in jobs:
        if job_id not in known or any(matches(row.text) for row in known[job_id]):
            yield job_id


def _keeps_rows(job: Job) -> bool:
    """Return whether a training has kept its rows, or may still do so."""
    return not job.is_finished or job.state == "succeeded"


def _affected(deps: Dependencies, learned: LearnedRevision) -> AffectedRevision:
    name, revision = learned.state.record.name, learned.state.record.revision
    targets = deps.store.names.targets_in(name)
    pointing = tuple(
        alias
        for alias, target in targets
        if target.revision == revision or (target.revision is None and learned.answers)
    )
    return AffectedRevision(
        model_name=name,
        revision=revision,
        rows=learned.rows or (),
        answers=learned.answers,
        deleted=learned.deleted,
        aliases=pointing,
        status="found",
    )


def _purge(deps: Dependencies, affected: list[AffectedRevision], *, force: bool) -> list[AffectedRevision]:
    """Purge revisions: of a deleted classifier or, by force, of one that answers from such a one, all of it."""
    purging = deps.store.catalog.purging
    whole = {each.model_name for each in affected if each.deleted or (each.answers and force)}
    for name in sorted(whole):
        purging.purge(name, force=force)
    told = []
    for each in affected:
        if each.model_name not in whole and (each.answers or (each.aliases and not force)):
            told.append(replace(each, status="in_use"))
            continue
        if each.model_name not in whole:
            purging.purge_revision(each.model_name, each.revision, force=force)
        told.append(replace(each, status="purged"))
    return told
