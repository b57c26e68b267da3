"""The console's page and files: what is sent, how long it may be kept, and what it may do in a browser."""

import gzip
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.client.serving import serving
from tests.http.asking import MODELS, check_problem
from tests.toy import Toy
from windrow import __version__
from windrow.domain.access import CreateKeyRequest
from windrow.http.console import FOLDER, page_text, read_console
from windrow.http.problems import EndpointNotFound
from windrow.settings import Settings

FILES = sorted(read_console().files)
FILE = f"/console/{read_console().digest}/js/main.js"


@contextmanager
def asking(operations: Toy, settings: Settings) -> Iterator[httpx.Client]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # without certificates, which take long to read
    with serving(operations, settings) as url, httpx.Client(base_url=url, timeout=60, verify=context) as client:
        yield client


def addresses(page: str) -> list[str]:
    """Return what a page loads and links to."""
    return re.findall(r'(?:href|src)="([^"]+)"', page)


def write_console(folder: Path, **modules: str) -> Path:
    (folder / "js").mkdir(parents=True)
    (folder / "index.html").write_text("{modulepreload}")
    for name, text in modules.items():
        (folder / "js" / f"{name}.js").write_text(text)
    return folder


def test_the_first_page_is_the_console_and_names_every_file_that_its_first_view_loads(client: httpx.Client) -> None:
    page = client.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert f'content="{__version__}"' in page.text
    assert not re.search(r"\{(?:root|files|version|stylesheets|modulepreload)\}", page.text)
    found = {address.partition(f"{read_console().digest}/")[2] for address in addresses(page.text)} - {""}
    sheets = {name for name in FILES if name.endswith(".css")}
    assert found == {*sheets, *read_console().first_modules}
    assert len(read_console().first_modules) < sum(name.endswith(".js") for name in FILES)
    for address in addresses(page.text):
        assert client.get(page.url.join(address)).status_code == 200, address


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_sent_as_it_is_in_the_package_with_its_type_to_be_kept_for_good(
    client: httpx.Client, name: str
) -> None:
    sent = client.get(f"/console/{read_console().digest}/{name}")
    assert sent.content == (FOLDER / name).read_bytes()
    types = {
        "css": "text/css; charset=utf-8",
        "js": "text/javascript; charset=utf-8",
        "json": "application/json",
        "svg": "image/svg+xml",
    }
    assert sent.headers["content-type"] == types.get(name.rpartition(".")[2], "text/plain; charset=utf-8")
    assert sent.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert sent.headers["x-content-type-options"] == "nosniff"
    assert sent.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize("path", ["/", FILE])
@pytest.mark.parametrize(
    ("accepted", "is_packed"),
    [
        ("gzip", True),
        ("br;q=1.0, gzip;q=0.8, *;q=0.1", True),
        ("GZIP", True),
        ("*", True),
        ("", False),
        ("identity", False),
        ("br, zstd", False),
        ("gzip;q=0", False),
        ("gzip; q=0.000, *", False),
        ("notgzip", False),
    ],
)
def test_what_is_sent_is_compressed_for_whoever_reads_that(
    client: httpx.Client, path: str, accepted: str, is_packed: bool
) -> None:
    plain = client.get(path, headers={"Accept-Encoding": "identity"})
    with client.stream("GET", path, headers={"Accept-Encoding": accepted}) as reply:
        sent = b"".join(reply.iter_raw())
    assert (reply.headers.get("content-encoding") == "gzip") is is_packed
    assert (gzip.decompress(sent) if is_packed else sent) == plain.content
    assert len(sent) == int(reply.headers["content-length"])
    assert reply.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"


def test_a_page_is_asked_about_at_each_visit_and_not_sent_again_while_it_is_the_same(client: httpx.Client) -> None:
    first = client.get("/")
    assert first.headers["cache-control"] == "no-cache"
    tag = first.headers["etag"]
    for known in (tag, f'"other", {tag}', tag.removeprefix("W/"), "*"):
        again = client.get("/", headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b""), known
        assert again.headers["etag"] == tag
        assert again.headers["content-security-policy"] == first.headers["content-security-policy"]
    for other in ('"other"', tag.replace('"', ""), ""):
        assert client.get("/", headers={"If-None-Match": other}).content == first.content, other


def test_the_page_lets_a_browser_run_nothing_but_its_own_files(client: httpx.Client) -> None:
    page = client.get("/")
    policy = dict(each.strip().split(" ", 1) for each in page.headers["content-security-policy"].split(";"))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data: blob:",
        "connect-src": "'self'",
        "font-src": "'none'",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:|https?:", page.text)
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cross-origin-opener-policy"] == "same-origin"
    assert "microphone=()" in page.headers["permissions-policy"]


@pytest.mark.parametrize(
    "path",
    [
        "/console/",
        "/console/index.html",
        f"/console/{read_console().digest}",
        f"/console/{read_console().digest}/",
        f"/console/{read_console().digest}/index.html",
        f"/console/{read_console().digest}/vendor/VERSIONS",
        f"/console/{read_console().digest}/js",
        f"/console/{read_console().digest}/../http/app.py",
        f"/console/{read_console().digest}/%2e%2e/http/app.py",
        f"/console/{read_console().digest}/..%2fhttp%2fapp.py",
        f"/console/{read_console().digest}//etc/passwd",
        f"{FILE}%0A",
        f"{FILE}%00",
        f"{FILE}/",
        FILE.replace("/js/", "//js/"),
        FILE.upper(),
    ],
)
def test_nothing_but_the_files_of_the_table_is_served(client: httpx.Client, path: str) -> None:
    # As raw bytes, since the client would tidy the path.
    reply = client.send(client.build_request("GET", httpx.URL(client.base_url, raw_path=path.encode())))
    check_problem(reply, 404, "not_found")


def test_a_file_of_another_release_is_not_found_and_that_is_not_kept(client: httpx.Client) -> None:
    reply = client.get(FILE.replace(read_console().digest, "0" * 16))
    told = check_problem(reply, 404, EndpointNotFound.code)
    assert "loaded again" in str(told["detail"])
    assert reply.headers["cache-control"] == "no-store"


def test_the_digest_tells_what_is_in_which_file(tmp_path: Path) -> None:
    folders = [
        write_console(tmp_path / "first", a="1", b="2"),
        write_console(tmp_path / "changed", a="1", b="3"),
        write_console(tmp_path / "swapped", a="2", b="1"),
        write_console(tmp_path / "renamed", a="1", c="2"),
        write_console(tmp_path / "moved", a="12", b=""),
    ]
    assert len({read_console(folder).digest for folder in folders}) == 5
    same = write_console(tmp_path / "same", a="1", b="2")
    assert read_console(same).digest == read_console(folders[0]).digest


def test_a_prefix_stands_before_every_address_and_without_one_they_are_relative(tmp_path: Path) -> None:
    console = read_console(write_console(tmp_path / "console", main="1"))
    link = '<link rel="modulepreload" href="{}/console/{}/js/main.js">'
    assert page_text(console, "") == link.format(".", console.digest)
    assert page_text(console, "/ai/windrow") == link.format("/ai/windrow", console.digest)


def test_what_the_first_module_imports_is_named_and_what_it_loads_later_is_not(tmp_path: Path) -> None:
    main = 'import { a } from "./near.js";\nconst late = () => import("./late.js");'
    modules = {"main": main, "near": 'export*from"./far.js"', "far": "", "late": 'import "./later.js";', "later": ""}
    console = read_console(write_console(tmp_path / "console", **modules))
    assert console.first_modules == ("js/far.js", "js/main.js", "js/near.js")


@pytest.mark.parametrize("path", ["/", FILE])
def test_the_head_of_an_answer_can_be_asked_for_and_nothing_can_be_sent(client: httpx.Client, path: str) -> None:
    whole, head = client.get(path), client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == whole.headers["content-length"]
    assert client.post(path, json={}).status_code == 405


def test_the_page_and_its_files_need_no_key_but_the_api_does(operations: Toy) -> None:
    operations.create_key(CreateKeyRequest(name="shop", scopes=("read",)))
    with asking(operations, Settings()) as client:
        assert client.get("/").status_code == client.get(FILE).status_code == 200
        assert client.get("/console/none/js/main.js").status_code == 404
        check_problem(client.get(MODELS), 401, "unauthorized")


def test_only_under_the_servers_own_names_is_it_shown(client: httpx.Client) -> None:
    for path in ("/", FILE):
        check_problem(client.get(path, headers={"Host": "evil.example"}), 421, "misdirected_request")


def test_a_server_without_the_console_shows_where_everything_is(operations: Toy) -> None:
    with asking(operations, Settings(console=False)) as client:
        page = client.get("/")
        assert "/v1/classifier/models" in page.text
        assert "console" not in page.text
        check_problem(client.get(FILE), 404, "not_found")
