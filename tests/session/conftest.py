"""A session over operations in memory, with one classifier."""

import pytest

from tests.fakes.operations import FakeOperations
from windrow.session.session import Session

TEXTS = ["money back", "my money please", "cannot sign in", "sign in fails"]
LABELS = ["refund", "refund", "login", "login"]


@pytest.fixture
def operations() -> FakeOperations:
    return FakeOperations()


@pytest.fixture
def session(operations: FakeOperations) -> Session:
    session = Session(operations)
    session.fit("tickets_v1", TEXTS, LABELS, num_iterations=0)
    return session
