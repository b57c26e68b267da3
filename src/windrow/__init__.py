"""Windrow: train, keep and serve few-shot text classifiers on one small machine.

``windrow.open(data_dir)`` gives every verb on this machine, ``windrow.Client(url)`` the same over a server, and
``windrow.WindrowClassifier`` is a classifier for scikit-learn's pipelines. All is loaded where it is used.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from windrow.domain.errors import WindrowError as WindrowError
    from windrow.estimator import WindrowClassifier as WindrowClassifier
    from windrow.session.reply_warnings import WindrowWarning as WindrowWarning
    from windrow.session.session import Client as Client
    from windrow.session.session import Session as Session
    from windrow.session.session import open_session as open  # noqa: A004 - windrow.open reads like the built-in

__version__ = "0.1.0"

__all__ = ["Client", "Session", "WindrowClassifier", "WindrowError", "WindrowWarning", "__version__", "open"]

# Where each public name lives, so that importing windrow loads none of them.
_PLACES = {
    "Client": ("windrow.session.session", "Client"),
    "Session": ("windrow.session.session", "Session"),
    "WindrowClassifier": ("windrow.estimator", "WindrowClassifier"),
    "WindrowError": ("windrow.domain.errors", "WindrowError"),
    "WindrowWarning": ("windrow.session.reply_warnings", "WindrowWarning"),
    "open": ("windrow.session.session", "open_session"),
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'windrow' has no attribute {name!r}")
    from importlib import import_module

    module, attribute = _PLACES[name]
    value = getattr(import_module(module), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_PLACES})
