"""The console: a page for browsers, and the files that it loads.

The files are read once, so that a request names an entry of a table and never a path of the disk. Their addresses hold
a digest of them all: a browser keeps them for good, and takes no file of one release for that of another.
"""

import gzip
import hashlib
import html
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from windrow import __version__
from windrow.http.context import context_of
from windrow.http.problems import EndpointNotFound, problem_response

FOLDER: Final = Path(__file__).parent.parent / "console"
CONSOLE_FILES: Final = "/console/"
"""What the paths of the files begin with."""
_PAGE_FILE: Final = "index.html"
# What else is in the folder is served to nobody.
_MEDIA_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    "LICENSES": "text/plain; charset=utf-8",
}
_DIGEST_CHARS: Final = 16
# Asked about at each visit, and then mostly not sent again.
_NO_CACHE: Final = "no-cache"
_FOR_GOOD: Final = "public, max-age=31536000, immutable"
_POLICY: Final = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    "connect-src 'self'",
    "font-src 'none'",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    # Nothing may make a script, or HTML, of a text.
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
)
_DEVICES: Final = ("camera", "display-capture", "geolocation", "microphone", "midi", "payment", "usb")
_PAGE_HEADERS: Final = {
    "Content-Security-Policy": "; ".join(_POLICY),
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{device}=()" for device in _DEVICES),
}
_FILE_HEADERS: Final = {"Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": _FOR_GOOD}
_FIRST_MODULE: Final = "js/main.js"
# A comment, whose text may speak of imports; or what stands in quotes behind an import or an export of names. What is
# imported by a call is loaded later.
_IMPORT: Final = re.compile(
    r"/\*.*?\*/|(?<!\S)//[^\n]*|(?<![\w$.\"'])(?:(?:import|export)\b[\w\s{},*$]*\bfrom\s*|import\s*)"
    r"(?P<quote>[\"'])(?P<name>[^\"'\n]+)(?P=quote)",
    re.DOTALL,
)
_ENCODING: Final = re.compile(r"\s*(gzip|x-gzip|\*)\s*(?:;\s*q\s*=\s*([0-9.]+)\s*)?", re.IGNORECASE)
_TAG: Final = re.compile(r'(?:W/)?("[^"]*")')


@dataclass(frozen=True, slots=True)
class Content:
    """What is sent under one address."""

    plain: bytes
    media_type: str

    @property
    def packed(self) -> bytes:
        """It, compressed: when it is first asked for, so that no start waits for what nobody may look at."""
        return _packed(self.plain)


@dataclass(frozen=True, slots=True)
class Console:
    """The console as one release has it."""

    template: str
    """The page, with names in braces for what depends on the server."""
    files: Mapping[str, Content]
    """Each file by its path below the folder."""
    digest: str
    """Of all files; part of their addresses."""
    first_modules: tuple[str, ...]
    """The modules that the first view needs, sorted; the others are loaded once it stands there."""


@cache
def read_console(folder: Path = FOLDER) -> Console:
    """Read the console's files, once.

    Args:
        folder: Where they are.
    """
    files = {
        path.relative_to(folder).as_posix(): Content(path.read_bytes(), _MEDIA_TYPES[_kind(path)])
        for path in sorted(folder.rglob("*"))
        if _kind(path) in _MEDIA_TYPES and path.is_file()
    }
    digest = hashlib.sha256()
    for name, content in files.items():
        digest.update(f"{name}\0{len(content.plain)}\0".encode() + content.plain)
    template = (folder / _PAGE_FILE).read_text(encoding="utf-8")
    return Console(template, files, digest.hexdigest()[:_DIGEST_CHARS], tuple(sorted(_needed_at_once(files))))


def page_text(console: Console, root_path: str) -> str:
    """Return the page's HTML.

    Every stylesheet, and every module that the first view needs, is named, so that a browser loads them at once instead
    of finding one in another.

    Args:
        console: The console.
        root_path: The path under which a proxy shows the server; empty for none.
    """
    # Without a prefix the addresses are relative: so they also hold behind a proxy that strips one and tells nobody.
    root = html.escape(root_path) or "."
    files = f"{root}{CONSOLE_FILES}{console.digest}"
    styles = [f'<link rel="stylesheet" href="{files}/{name}">' for name in console.files if name.endswith(".css")]
    modules = [f'<link rel="modulepreload" href="{files}/{name}">' for name in console.first_modules]
    facts = {
        "root": root,
        "files": files,
        "version": html.escape(__version__),
        "stylesheets": "\n".join(styles),
        "modulepreload": "\n".join(modules),
    }
    return re.sub(rf"\{{({'|'.join(facts)})\}}", lambda found: facts[found[1]], console.template)


async def show_console(request: Request) -> Response:
    """Show the console's page."""
    content, tag = _page(context_of(request).settings.root_path)
    headers = {**_PAGE_HEADERS, "Cache-Control": _NO_CACHE, "ETag": tag}
    if _is_known(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers={**headers, "Vary": "Accept-Encoding"})
    return _sent(content, request, headers)


async def show_console_file(request: Request) -> Response:
    """Send a file that the page loads."""
    console = read_console()
    digest, _, name = request.path_params["file"].partition("/")
    if digest == console.digest and name in console.files:
        request.scope["state"]["is_file"] = True
        return _sent(console.files[name], request, _FILE_HEADERS)
    problem = EndpointNotFound(
        "The console of this server has no such file. A page that was open while the server changed is to be loaded "
        "again.",
        {"endpoints": [], "near": []},
    )
    return problem_response(problem, request.state.request_id, {"Cache-Control": "no-store"})


@cache
def _page(root_path: str) -> tuple[Content, str]:
    """Return the page, and its entity tag: a weak one, since it stands for the compressed page too."""
    text = page_text(read_console(), root_path).encode()
    digest = hashlib.sha256(text).hexdigest()[:_DIGEST_CHARS]
    return Content(text, "text/html; charset=utf-8"), f'W/"{digest}"'


def _needed_at_once(files: Mapping[str, Content]) -> set[str]:
    """Return the first module and all that it imports before it runs, itself or through others."""
    found = {_FIRST_MODULE} & files.keys()
    left = list(found)
    while left:
        source, module = files[left[-1]].plain.decode(), left.pop()
        names = (match["name"] for match in _IMPORT.finditer(source) if match["name"])
        new = {posixpath.normpath(posixpath.join(posixpath.dirname(module), name)) for name in names} - found
        found |= new
        left += new
    return found


def _kind(path: Path) -> str:
    return path.suffix or path.name


@cache
def _packed(plain: bytes) -> bytes:
    return gzip.compress(plain, mtime=0)


def _sent(content: Content, request: Request, headers: Mapping[str, str]) -> Response:
    is_packed = _takes_gzip(request.headers.get("accept-encoding", "")) and len(content.packed) < len(content.plain)
    encoding = {"Content-Encoding": "gzip"} if is_packed else {}
    # The type as it is: Starlette would add a charset to what has none.
    return Response(
        content.packed if is_packed else content.plain,
        headers={**headers, **encoding, "Vary": "Accept-Encoding", "Content-Type": content.media_type},
    )


def _takes_gzip(header: str) -> bool:
    """Whether a client says that it reads gzip; what it does not weigh, it takes."""
    weights = {found[1].lower(): found[2] for part in header.split(",") if (found := _ENCODING.fullmatch(part))}
    weight = weights.get("gzip", weights.get("x-gzip", weights.get("*", "0")))
    return weight is None or weight.strip("0.") != ""


def _is_known(header: str, tag: str) -> bool:
    """Whether a client has the page of a tag, by its ``If-None-Match``."""
    return header.strip() == "*" or tag.removeprefix("W/") in _TAG.findall(header)
