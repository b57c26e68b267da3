"""What names mean, kept in memory and in step with the disk by a thread, so that a prediction need not ask the disk."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from windrow.domain.errors import DataDirectoryUnavailable, WindrowError
from windrow.domain.names import Reference, read_reference
from windrow.storage.catalog import Catalog, ResolvedModel
from windrow.storage.data_directory import Directory, stalled
from windrow.storage.namespace import Namespace

# Two looks at the disk; with the looks themselves, what others change is seen within a second.
WATCH_INTERVAL_S: Final = 0.5
# A look takes milliseconds; on a busy machine, the thread may have to wait for its turn, too.
STALLED_AFTER_S: Final = 5.0
# Names that nobody asked for since the last look: so many, and for so long, are looked at all the same.
MAX_IDLE: Final = 256
IDLE_AFTER_S: Final = 60.0
# Names that are kept; those beyond are looked up anew.
MAX_KNOWN: Final = 8_192

_log = logging.getLogger("windrow.execution")


@dataclass(slots=True, eq=False)
class _Known:
    """What a name means.

    Args:
        reference: The name.
        model: What it means.
        tokens: The folders that decide it, and their change tokens from before they were read.
        is_confirmed: Whether it was so at the last look.
        was_asked: Whether anybody asked since then.
        asked_at_s: When somebody asked last, by the monotonic clock; as exact as the looks are frequent.
    """

    reference: Reference
    model: ResolvedModel
    tokens: Mapping[str, str | None]
    is_confirmed: bool
    was_asked: bool = True
    asked_at_s: float = 0.0

    def depends_on(self, name: str) -> bool:
        """Whether a change of a classifier or an alias may change what this means."""
        if self.reference.is_latest and name.startswith(f"{self.reference.name}_v"):
            return True
        return name in (self.reference.name, self.model.entry.record.name)


class ModelWatch:
    """What names mean, for any number of threads.

    What this process changes is forgotten at once, and looked up by who changed it (:meth:`look_up_changed`), so that
    it holds where the disk goes away after that. What others change is not confirmed from the next look on. A name that
    is not confirmed is looked up on the disk; only where the disk says nothing, since the data directory is gone or
    does not answer, what was known of it still holds. The looks read no file, so that none can hold them up.

    Args:
        catalog: Says what names mean.
        names: Tells of changes.
        directory: The data directory.
        on_return: Called whenever the directory is back, in a thread of its own.
        clock_s: The monotonic clock, in seconds.
    """

    def __init__(
        self,
        catalog: Catalog,
        names: Namespace,
        directory: Directory,
        on_return: Callable[[], object],
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._catalog = catalog
        self._names = names
        self._directory = directory
        self._on_return = on_return
        self._clock_s = clock_s
        self._known: dict[str, _Known] = {}
        self._num_changes = 0
        self._changed: set[str] = set()
        self._lock = threading.Lock()
        self._is_watching = False
        self._looked_at_s = 0.0
        self._problem: DataDirectoryUnavailable | None = None
        names.subscribe(self._forget)

    def known(self, model_name: str) -> ResolvedModel | None:
        """Return what a name means, without asking the disk; ``None`` where that must be asked."""
        known = self._known.get(model_name)
        if known is None or not (known.is_confirmed or self._is_cut_off):
            return None
        known.was_asked = True
        return known.model

    def find(self, model_name: str) -> ResolvedModel:
        """Return what a name means on the disk, and keep it.

        Raises:
            InvalidName: It breaks the grammar.
            NotFound: It means nothing.
            InvalidArtifact: Its newest file is damaged.
            DataDirectoryUnavailable: The data directory is gone, and the name was not asked for before.
        """
        reference = read_reference(model_name)
        known, num_changes = self._known.get(model_name), self._num_changes
        try:
            model, tokens = self._look_up(reference, () if known is None else tuple(known.tokens))
        except DataDirectoryUnavailable:
            if known is None or num_changes != self._num_changes:
                raise
            return known.model
        except WindrowError:
            with self._lock:
                self._known.pop(model_name, None)
            raise
        with self._lock:
            if num_changes == self._num_changes:  # else this may be what it meant before the change
                self._known.pop(model_name, None)  # the newest stand last
                self._known[model_name] = _Known(reference, model, tokens, self._is_watching)
                if len(self._known) > MAX_KNOWN:
                    del self._known[next(iter(self._known))]
        return model

    def look_up_changed(self) -> None:
        """Look up what changes of this process had forgotten: called by who made one, once it holds.

        Nobody need ask for a name before the data directory vanishes, for it to be answered after that.
        """
        while self._changed:
            with self._lock:
                names, self._changed = self._changed, set()
            for model_name in sorted(names):
                with suppress(WindrowError):  # it means nothing now, or the disk is gone already
                    self.find(model_name)

    def check_ready(self) -> None:
        """Check that the data directory was there at the last look, without asking the disk.

        Raises:
            DataDirectoryUnavailable: It was not, or the look takes too long.
        """
        if (problem := self._problem) is not None:  # which says more than that it still lasts
            raise DataDirectoryUnavailable(problem.template, problem.facts) from problem
        if self._is_stalled:
            raise stalled()

    def update(self) -> None:
        """Look at the disk, once."""
        if not self._is_watching:
            self._is_watching, self._looked_at_s = True, self._clock_s()
        tokens: dict[str, str | None] = {}
        changed = [known for known in self._watched() if not self._is_unchanged(known, tokens)]
        self._check_directory()
        if self._problem is None:  # else the folders were not gone, but the directory was
            for known in changed:
                known.is_confirmed = False
        self._looked_at_s = self._clock_s()

    @property
    def is_ready(self) -> bool:
        """Whether :meth:`check_ready` finds nothing."""
        return not self._is_cut_off

    @property
    def _is_cut_off(self) -> bool:
        """Whether the disk cannot say what a name means."""
        return self._problem is not None or self._is_stalled

    @property
    def _is_stalled(self) -> bool:
        return self._is_watching and self._clock_s() - self._looked_at_s > STALLED_AFTER_S

    def _look_up(
        self, reference: Reference, folders: tuple[str, ...]
    ) -> tuple[ResolvedModel, Mapping[str, str | None]]:
        while True:
            # Before the folders are read, so that a change meanwhile shows at the next look.
            tokens = {folder: self._names.files.version_token(folder) for folder in folders}
            model = self._catalog.find(reference)
            if not self._is_watching:
                return model, tokens
            needed = self._names.folders_of(reference, model.entry.record.name, model.alias)
            if needed == folders:
                return model, tokens
            folders = needed

    def _watched(self) -> list[_Known]:
        """Return what is to be looked at: what was asked for since the last look, and some of the rest."""
        now_s = self._clock_s()
        confirmed = [known for known in list(self._known.values()) if known.is_confirmed]
        asked = [known for known in confirmed if known.was_asked]
        idle = [known for known in confirmed if not known.was_asked]
        idle.sort(key=lambda known: known.asked_at_s, reverse=True)
        kept = [known for known in idle[:MAX_IDLE] if now_s - known.asked_at_s < IDLE_AFTER_S]
        for known in asked:
            known.was_asked, known.asked_at_s = False, now_s
        for known in idle[len(kept) :]:
            known.is_confirmed = False
        return asked + kept

    def _is_unchanged(self, known: _Known, tokens: dict[str, str | None]) -> bool:
        for folder, token in known.tokens.items():
            if folder not in tokens:
                tokens[folder] = self._names.files.version_token(folder)
            if token is None or tokens[folder] != token:
                return False
        return True

    def _check_directory(self) -> None:
        before = self._problem
        try:
            self._directory.check()
        except DataDirectoryUnavailable as error:
            self._problem = error
            if before is None:
                _log.error("%s", error.detail)
            return
        self._problem = None
        if before is not None:
            _log.warning("The data directory is back.")
            # In a thread of its own, since it may write.
            threading.Thread(target=self._on_return, name="data-directory-back", daemon=True).start()

    def _forget(self, name: str) -> None:
        """Forget what this process has changed, so that the next one who asks is told what is so now."""
        with self._lock:
            self._num_changes += 1
            for model_name in [each for each, known in self._known.items() if known.depends_on(name)]:
                del self._known[model_name]
                self._changed.add(model_name)
