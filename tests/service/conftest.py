"""Services that are closed after the test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.examples import Open, fake_service
from windrow.service.service import Service


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    """Open services, on one folder unless another one is named."""
    services = []

    def open_one(data_dir: Path = tmp_path / "data", **how: object) -> Service:
        services.append(fake_service(data_dir, **how))  # type: ignore[arg-type]
        return services[-1]

    yield open_one
    for service in services:
        service.close()


@pytest.fixture
def service(opened: Open) -> Service:
    return opened()
