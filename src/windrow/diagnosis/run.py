"""Make all checks of an installation, one after the other; one that fails unexpectedly does not end the others."""

from collections.abc import Callable, Iterator
from functools import partial

from windrow.bootstrap import open_store
from windrow.diagnosis.contents import check_contents
from windrow.diagnosis.disk import check_folder, check_room, check_writes
from windrow.diagnosis.machine import check_memory, check_open_files, check_settings
from windrow.diagnosis.trial import check_trial
from windrow.domain.diagnosis import Check
from windrow.domain.errors import WindrowError
from windrow.settings import Settings


def diagnose(settings: Settings) -> Iterator[Check]:
    """Yield each check as soon as it is made. Nothing in the data directory is changed for good.

    Args:
        settings: The installation's.
    """
    folder = settings.local_dir
    yield from _guarded("settings", partial(check_settings, settings))
    yield from _guarded("memory", partial(check_memory, settings))
    yield from _guarded("open files", partial(check_open_files, settings))
    yield from _guarded("data directory", partial(check_folder, folder))
    yield from _guarded("disk room", partial(check_room, folder, settings))
    yield from _guarded("disk writes", partial(check_writes, folder))
    yield from _guarded("data", lambda: check_contents(open_store(settings)))
    yield from _guarded("trial", partial(check_trial, settings))


def _guarded(name: str, make: Callable[[], Iterator[Check]]) -> Iterator[Check]:
    try:
        yield from make()
    except WindrowError as error:
        yield Check(name, "failed", error.detail)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what was looked for
        yield Check(name, "failed", f"This check ended unexpectedly ({type(error).__name__}: {error}).")
