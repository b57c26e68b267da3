"""A session on the product itself with a toy encoder, and one classifier."""

import warnings
from collections.abc import Iterator

import pytest

from tests.toy import Toy
from windrow.session.reply_warnings import WindrowWarning
from windrow.session.session import Session

TEXTS = ["money back", "my money please", "cannot sign in", "sign in fails"]
LABELS = ["refund", "refund", "login", "login"]


@pytest.fixture
def toy() -> Iterator[Toy]:
    toy = Toy()
    yield toy
    toy.close()


@pytest.fixture
def session(toy: Toy) -> Session:
    session = Session(toy)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", WindrowWarning)  # so few rows are warned about
        session.fit("tickets_v1", TEXTS, LABELS, num_iterations=0)
    return session
