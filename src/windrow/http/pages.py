"""What is no verb: health and metrics for whoever watches the server, and the documentation in a browser.

Swagger UI's files come from this server, so that /docs needs no other one.
"""

import importlib.util
from collections.abc import Awaitable, Callable
from functools import cache, partial
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from windrow.api.flat import Health
from windrow.codec.values import to_json
from windrow.http.context import context_of
from windrow.http.parameters import read_query

_PAGE: Final = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Windrow</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{root}/docs/files/swagger_style.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="{root}/docs/files/swagger_bundle.js"></script>
<script>
SwaggerUIBundle({{
  url: "{root}/openapi.json", dom_id: "#swagger-ui", deepLinking: true, tryItOutEnabled: true, validatorUrl: null
}})
</script>
</body>
</html>
"""

_FILES: Final = {"swagger_style.css": "text/css", "swagger_bundle.js": "text/javascript"}


async def health(request: Request) -> Response:
    """Say that the server answers."""
    read_query(request, ())
    return Response(to_json(Health()) + b"\n", media_type="application/json")


async def show_metrics(request: Request) -> Response:
    """Show how long requests take and how busy the server is, for Prometheus."""
    read_query(request, ())
    context = context_of(request)

    def work() -> Response:
        content, media_type = context.metrics.render(request.headers.get("accept", ""))
        return Response(content, media_type=media_type)

    return await context.run_timed(request, "light", work)


def docs_files() -> dict[str, Callable[[Request], Awaitable[Response]]]:
    """Return what shows each of Swagger UI's files, by its path."""
    spec = importlib.util.find_spec("offapi")  # which is not loaded: that reads all of its files into memory
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parent
    return {f"/docs/files/{name}": partial(_show_file, folder / name, kind) for name, kind in _FILES.items()}


async def _show_file(path: Path, media_type: str, request: Request) -> Response:
    return Response(await context_of(request).run("light", path.read_bytes), media_type=media_type)


async def show_docs(request: Request) -> Response:
    """Show the endpoints in a browser, to read and to try."""
    return HTMLResponse(_PAGE.format(root=request.scope.get("root_path", "")))


async def show_openapi(request: Request) -> Response:
    """Show the OpenAPI document."""
    content = await context_of(request).run("light", _openapi_document)
    return Response(content, media_type="application/json")


@cache
def _openapi_document() -> bytes:
    import json

    from windrow.api.openapi import openapi_document

    return json.dumps(openapi_document(), ensure_ascii=False).encode()
