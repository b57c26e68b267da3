"""The pages beside the API's operations: health, metrics, the console or a start page, and the documentation.

Swagger UI's files come from this server, so that /docs needs no other one.
"""

import html
import importlib.util
from collections.abc import Awaitable, Callable
from functools import cache, partial
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from windrow import __version__
from windrow.api.flat import Health
from windrow.codec.values import to_json
from windrow.http.authentication import check_page_scope
from windrow.http.console import CONSOLE_FILES, read_console, show_console, show_console_file
from windrow.http.context import context_of
from windrow.http.parameters import read_query
from windrow.settings import Settings

_PAGE: Final = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Windrow</title>
<link rel="icon" href="{root}/favicon.ico">
<link rel="stylesheet" href="{root}/docs/files/swagger_style.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="{root}/docs/files/swagger_bundle.js"></script>
<script src="{root}/docs/files/swagger_start.js"></script>
</body>
</html>
"""

# In a file, since the policy lets no script stand in a page. The path is relative to that of /docs.
_START: Final = b"""SwaggerUIBundle({
  url: "openapi.json", dom_id: "#swagger-ui", deepLinking: true, tryItOutEnabled: true, validatorUrl: null
})
"""
# Nothing from elsewhere, and no page of another site around it. Swagger UI sets styles, and draws icons from its own.
_PAGE_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
}

_HOME: Final = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Windrow</title>
<link rel="icon" href="{root}/favicon.ico">
<style>body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem }}</style>
</head>
<body>
<h1>Windrow {version}</h1>
<p>This server trains text classifiers from labelled examples, keeps them, and answers from them.</p>
<ul>
{docs}<li><a href="{root}/v1/classifier/models">The classifiers</a>, as JSON</li>
<li><a href="{root}/health">Health</a>, <a href="{root}/health/ready">readiness</a> and
<a href="{root}/metrics">metrics</a>, for whoever watches the server</li>
</ul>
<p>Where an API key is needed, send it in the header <code>Authorization: Bearer KEY</code>; without one, the
classifiers and the metrics answer with status 401. Whoever runs the server creates keys.</p>
<p>On the server's machine, <code>windrow --help</code> shows the same verbs on the command line.</p>
</body>
</html>
"""
_HOME_DOCS: Final = """<li><a href="{root}/docs">The API, to read and to try</a>; an API key goes under
<em>Authorize</em></li>
<li><a href="{root}/openapi.json">The OpenAPI document</a>, to generate clients from</li>
"""
_ICON: Final = b"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">
<path d="M1 12q3.5-5 7 0t7 0M1 8q3.5-5 7 0t7 0" fill="none" stroke="#a07416" stroke-width="2"/></svg>
"""
_Page = Callable[[Request], Awaitable[Response]]
_FILES: Final = {"swagger_style.css": "text/css", "swagger_bundle.js": "text/javascript"}


async def health(request: Request) -> Response:
    """Say that the server answers."""
    read_query(request, ())
    return Response(to_json(Health()) + b"\n", media_type="application/json")


async def ready(request: Request) -> Response:
    """Say whether the server can read and change what it keeps."""
    read_query(request, ())
    context_of(request).operations.check_ready()
    return Response(to_json(Health()) + b"\n", media_type="application/json")


async def show_metrics(request: Request) -> Response:
    """Show how long requests take and how busy the server is, for Prometheus."""
    read_query(request, ())
    check_page_scope("admin")
    context = context_of(request)

    def work() -> Response:
        content, media_type = context.metrics.render(request.headers.get("accept", ""))
        return Response(content, media_type=media_type)

    return await context.run_timed(request, "monitor", work)


def documentation(settings: Settings) -> dict[str, _Page]:
    """Return what shows each page for a browser, by its path.

    Args:
        settings: Say whether the console and the documentation are shown.
    """
    pages: dict[str, _Page] = {"/": show_console if settings.console else _show_home, "/favicon.ico": _show_icon}
    if settings.console:
        read_console()  # now, so that an update of the package beside a running server changes nothing
        pages[CONSOLE_FILES + "{file}"] = show_console_file
    return {**pages, **_docs()} if settings.docs else pages


def _docs() -> dict[str, _Page]:
    spec = importlib.util.find_spec("offapi")  # which is not loaded: that reads all of its files into memory
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parent
    files: dict[str, _Page]
    files = {f"/docs/files/{name}": partial(_show_file, folder / name, kind) for name, kind in _FILES.items()}
    files["/docs/files/swagger_start.js"] = _show_start
    return {"/docs": _show_docs, "/openapi.json": _show_openapi, **files}


async def _show_file(path: Path, media_type: str, request: Request) -> Response:
    return Response(await context_of(request).run("monitor", path.read_bytes), media_type=media_type)


async def _show_home(request: Request) -> Response:
    """Show where everything is."""
    root = _root(request)
    docs = _HOME_DOCS.format(root=root) if context_of(request).settings.docs else ""
    return HTMLResponse(_HOME.format(root=root, docs=docs, version=__version__), headers=_PAGE_HEADERS)


async def _show_icon(_: Request) -> Response:
    return Response(_ICON, media_type="image/svg+xml")


async def _show_docs(request: Request) -> Response:
    """Show the endpoints in a browser, to read and to try."""
    return HTMLResponse(_PAGE.format(root=_root(request)), headers=_PAGE_HEADERS)


async def _show_start(_: Request) -> Response:
    """Show the script that begins the documentation's page."""
    return Response(_START, media_type="text/javascript")


def _root(request: Request) -> str:
    """Return the path under which a proxy shows the server, for HTML."""
    return html.escape(context_of(request).settings.root_path)


async def _show_openapi(request: Request) -> Response:
    """Show the OpenAPI document."""
    context = context_of(request)
    content = await context.run("monitor", partial(_openapi_document, context.settings.root_path))
    return Response(content, media_type="application/json")


@cache
def _openapi_document(root_path: str) -> bytes:
    import json

    from windrow.api.openapi import openapi_document

    return json.dumps(openapi_document(root_path), ensure_ascii=False).encode()
