"""Keeping from a notebook: listing, describing, deleting and restoring classifiers, and the aliases that point to them.

Owns the plain arguments of these verbs; knows nothing of where anything is kept.
"""

from collections.abc import Iterable
from typing import Unpack

from windrow.domain.alias import Alias, AliasChange, Promotion, Said
from windrow.domain.classifier import Classifier, ClassifierDetails, Deletion, NotesChange
from windrow.domain.listing import Listing
from windrow.session.columns import read_name
from windrow.session.options import (
    ListOptions,
    PromoteOptions,
    SelectionOptions,
    check_known,
    page_of,
    promote_request,
    selection_of,
)
from windrow.session.parts import Parts


class Keeping(Parts):
    """The verbs about what is kept."""

    __slots__ = ()

    def models(self, **options: Unpack[ListOptions]) -> Listing:
        """Return the newest revision of every classifier that is not deleted, sorted by name, or a part of that list.

        Args:
            **options: Which part, in which order: :class:`ListOptions`.

        Raises:
            InvalidInput: An option breaks a rule.
        """
        return self._operations.list_classifiers(page_of(options))

    def show(self, model_name: str) -> ClassifierDetails:
        """Return everything that is known about a classifier.

        Args:
            model_name: A classifier, an alias, a revision (``tickets_v2@3``) or a task's highest version
                (``tickets@latest``).

        Raises:
            NotFound: The name means nothing.
            ArtifactInvalid: The record is damaged.
        """
        return self._operations.show(read_name(model_name))

    def describe(
        self, model_name: str, description: str | None = None, tags: Iterable[str] | None = None
    ) -> Classifier:
        """Change what is said about a classifier.

        Args:
            model_name: The classifier.
            description: At most 2,000 characters; ``None`` leaves it as it is.
            tags: At most 20, each of 1 to 64 characters; ``None`` leaves them as they are.

        Raises:
            InvalidInput: The description or a tag breaks a rule.
            ClassifierNotFound: No classifier has this name.
        """
        change = NotesChange(description, None if tags is None else tuple(tags))
        return self._operations.describe(read_name(model_name), change)

    def delete(self, model_name: str, *, purge: bool = False, force: bool = False) -> Deletion:
        """Delete a classifier; :meth:`restore` brings it back until the retention time is over.

        Args:
            model_name: Its name, or ``name@revision`` to purge one older revision.
            purge: Remove its files for good.
            force: Also where an alias points to it, which then answers no more.

        Raises:
            InvalidInput: The name breaks the grammar, or a single revision is not to be purged.
            NotFound: There is no such classifier or revision.
            ClassifierInUse: An alias points to it, or the revision is the one that answers.
        """
        return self._operations.delete(read_name(model_name), purge=purge, force=force)

    def delete_all(
        self,
        *,
        purge: bool = False,
        force: bool = False,
        dry_run: bool = False,
        **selection: Unpack[SelectionOptions],
    ) -> Deletion:
        """Delete every classifier of a selection: none if an alias is in the way of one of them.

        Args:
            purge: Remove the files for good.
            force: Also those that an alias points to.
            dry_run: Only say which they are; refuses nothing.
            **selection: Which: :class:`SelectionOptions`; not everything.

        Raises:
            InvalidParameter: The selection leaves nothing out.
            ClassifierInUse: An alias points to some of them.
        """
        check_known("delete_all", selection, SelectionOptions)
        return self._operations.delete_all(selection_of(selection), purge=purge, force=force, dry_run=dry_run)

    def restore(self, model_name: str) -> Classifier:
        """Bring a deleted classifier back as it was, or make an older revision answer again.

        Args:
            model_name: The classifier's name, or ``name@revision``.

        Raises:
            NotFound: There is no such classifier or revision, or it is purged.
            Conflict: It answers already, or its name is taken.
            ArtifactInvalid: Its files are damaged.
        """
        return self._operations.restore(read_name(model_name))

    def promote(self, alias: str, model_name: str, **options: Unpack[PromoteOptions]) -> Promotion:
        """Point an alias at a classifier. Unless every condition is met, nothing changes.

        Args:
            alias: The alias; a new one is made.
            model_name: A classifier (then the alias follows its newest revision), ``name@revision`` or ``task@latest``.
            **options: What to say, and what is required: :class:`PromoteOptions`.

        Raises:
            InvalidInput: A name, a row or a condition breaks a rule.
            NotFound: There is no such classifier.
            Conflict: The alias's name is taken, or a condition is not met (``PromotionRefused``).
            BaseModelUnavailable: Its base model is not there.
            ArtifactInvalid: The classifier is damaged.
        """
        return self._operations.promote(promote_request(alias, model_name, options))

    def rollback(self, alias: str, *, reason: str = "", by: str = "") -> Alias:
        """Point an alias back to where it pointed before its last promotion; again goes one further back.

        Args:
            alias: The alias.
            reason: Why, at most 500 characters.
            by: Who, at most 500 characters.

        Raises:
            AliasNotFound: There is no such alias.
            NothingToRollBack: It has pointed nowhere before, or that classifier is gone.
            BaseModelUnavailable: That classifier's base model is not there.
            ArtifactInvalid: That classifier is damaged.
        """
        return self._operations.rollback(read_name(alias), Said(reason, by))

    def remove_alias(self, alias: str, *, reason: str = "", by: str = "") -> None:
        """Take an alias away; what it points to stays, and so does its history.

        Args:
            alias: The alias.
            reason: Why, at most 500 characters.
            by: Who, at most 500 characters.

        Raises:
            AliasNotFound: There is no such alias.
        """
        self._operations.remove_alias(read_name(alias), Said(reason, by))

    def aliases(self) -> tuple[Alias, ...]:
        """Return every alias, sorted by name."""
        return self._operations.list_aliases()

    def history(self, alias: str) -> tuple[AliasChange, ...]:
        """Return each change of an alias, the first one first, also of one that was taken away.

        Args:
            alias: The alias.

        Raises:
            AliasNotFound: There never was such an alias.
        """
        return self._operations.alias_history(read_name(alias))
