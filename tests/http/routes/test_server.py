"""Health over a real socket; metrics have tests of their own."""

import httpx

from windrow import __version__


def test_health_names_the_version(client: httpx.Client) -> None:
    assert client.get("/health").json() == {"status": "ok", "version": __version__}
