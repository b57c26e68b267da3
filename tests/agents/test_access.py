from pathlib import Path
from typing import Any, cast

import pytest

from windrow.agents.access import CallerAccess, ForwardedAccess, OwnAccess
from windrow.api.endpoints import FIT, PREDICT
from windrow.client.remote import RemoteOperations
from windrow.domain.caller import Caller, current_caller
from windrow.domain.classifier import FitRequest
from windrow.domain.dataset import DataLimits
from windrow.domain.errors import AccessDenied, ClassifierNotFound, InsufficientScope
from windrow.domain.prediction import PredictRequest
from windrow.domain.secret import Secret
from windrow.http.authentication import NoKeys
from windrow.operations import Operations

OPERATIONS = cast(Operations, object())
READER = Caller("reader", frozenset({"predict", "read"}))


class Noting(NoKeys):
    """Notes what was refused to whom."""

    def __init__(self) -> None:
        self.noted: list[tuple[str, str | None, str]] = []

    def note_refusal(self, error: AccessDenied, verb: str) -> None:
        self.noted.append((error.code, current_caller().key_name, verb))


def access(keys: Any = None) -> CallerAccess:
    return CallerAccess(OPERATIONS, READER, keys or NoKeys(), DataLimits(), Path("/srv/data"))


def test_a_key_gets_the_verbs_that_its_scopes_allow() -> None:
    with access().verbs(PREDICT, PredictRequest(model_name="t", text="a")) as operations:
        assert operations is OPERATIONS
        assert current_caller() is READER
    assert current_caller().key_name is None


def test_a_key_without_the_scope_is_refused_and_that_is_noted() -> None:
    keys = Noting()
    with pytest.raises(InsufficientScope) as raised, access(keys).verbs(FIT, FitRequest("t_v1", ())):
        pass
    access(keys).told(raised.value, FIT)
    assert keys.noted == [("insufficient_scope", "reader", "fit")]


def test_an_error_does_not_name_the_place_of_the_data() -> None:
    error = ClassifierNotFound("/srv/data/classifiers is empty.")
    assert "/srv/data" not in access().told(error, PREDICT).detail
    assert OwnAccess(OPERATIONS).told(error, PREDICT) is error


def test_a_forwarded_key_asks_the_server_itself() -> None:
    forwarded = ForwardedAccess("http://127.0.0.1:1", Secret("wr_x"))
    with forwarded.verbs(PREDICT, None) as operations:
        assert isinstance(operations, RemoteOperations)
        assert operations.url == "http://127.0.0.1:1"
