"""What of a classifier's state changes with it: its notes, and what training alone has made."""

from dataclasses import replace

from windrow.domain.classifier import Record, check_notes
from windrow.domain.errors import ConcurrentChange
from windrow.storage.revision import ClassifierState


def with_notes(record: Record, before: Record | None, description: str | None, tags: tuple[str, ...] | None) -> Record:
    """Return a record with changed notes; those left out stay unchanged.

    Raises:
        InvalidParameter: It breaks a rule.
    """
    kept_description, kept_tags = ("", ()) if before is None else (before.description, before.tags)
    new_description = kept_description if description is None else description
    new_tags = check_notes(new_description, kept_tags if tags is None else tags)
    return replace(record, description=new_description, tags=new_tags)


def without_notes_or_scores(record: Record) -> Record:
    """Return what training alone says of a record: neither notes nor measurements, nor what was set later."""
    return replace(record, description="", tags=(), test=None, threshold_changes=())


def check_answers(wanted: ClassifierState, answering: ClassifierState) -> None:
    """Refuse a revision that is not the one that answers.

    Raises:
        ConcurrentChange: It is not.
    """
    if wanted.record.revision != answering.record.revision:
        raise ConcurrentChange(
            "Revision {answering} of {model_name} answers, not revision {revision}, so nothing was changed. Evaluate "
            "the one that answers, or restore the other one first.",
            {
                "model_name": wanted.record.name,
                "revision": wanted.record.revision,
                "answering": answering.record.revision,
            },
        )
