"""Bodies that agents send take their bytes of the server's budget until the application has answered."""

import asyncio
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from windrow.agents.web import _WholeBodies
from windrow.http.budget import FREE_BYTES
from windrow.settings import Settings

BODY = b'"' + b"a" * FREE_BYTES + b'"'
SCOPE = {
    "type": "http",
    "method": "POST",
    "path": "/mcp",
    "query_string": b"",
    "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode())],
    "state": {"request_id": "req-1"},
}


def test_a_body_counts_while_the_application_works_with_it_and_a_further_large_one_comes_again(tmp_path: Path) -> None:
    held: list[int] = []
    statuses: list[int] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": BODY, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        statuses.extend([message["status"]] if "status" in message else [])

    async def app(*_: object) -> None:
        held.append(bodies._budget.held_bytes)
        await bodies(SCOPE, receive, send)

    settings = Settings(data_dir=tmp_path, max_body_bytes=len(BODY), max_pending_body_bytes=len(BODY))
    bodies = _WholeBodies(app, settings)
    asyncio.run(bodies(SCOPE, receive, send))
    assert (held, statuses) == ([len(BODY)], [429])
    assert bodies._budget.held_bytes == 0
