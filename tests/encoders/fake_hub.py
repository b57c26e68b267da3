"""A Hugging Face hub on this machine: repositories whose main branch can move on, over HTTP as the real client asks."""

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_COMMIT_SEED = "commit"


@dataclass
class FakeHub:
    """One model, at several commits.

    Args:
        model_id: The only one that it has.
        url: Where it answers.
        commits: The folder of each commit; the last one is ``main``.
        asked: The paths that were asked for.
    """

    model_id: str
    url: str = ""
    commits: dict[str, Path] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def push(self, folder: Path) -> str:
        """Have a folder's files as ``main`` from now on, and return the commit."""
        commit = hashlib.sha1(f"{_COMMIT_SEED} {len(self.commits)}".encode()).hexdigest()
        self.commits[commit] = folder
        return commit

    def find(self, path: str) -> tuple[str, bytes] | None:
        """Return the commit and the content that a path means; ``None`` where there is nothing."""
        api, files = rf"/api/models/{self.model_id}/(?P<what>revision|tree)", f"/{self.model_id}/resolve"
        asked = re.fullmatch(rf"(?:{api}|{files})/(?P<revision>\w+)(?:/(?P<file>.+))?", path)
        if asked is None:
            return None
        commit = next(reversed(self.commits)) if asked["revision"] == "main" else asked["revision"]
        if commit not in self.commits:
            return None
        folder = self.commits[commit]
        if asked["file"]:
            return commit, (folder / asked["file"]).read_bytes()
        if asked["what"] == "revision":
            return commit, json.dumps({"id": self.model_id, "sha": commit, "siblings": []}).encode()
        listed = [
            {"type": "file", "path": each.relative_to(folder).as_posix(), "size": each.stat().st_size, "oid": "0" * 40}
            for each in sorted(folder.rglob("*"))
            if each.is_file()
        ]
        return commit, json.dumps(listed).encode()


@contextmanager
def running_hub(model_id: str) -> Iterator[FakeHub]:
    """Let a hub answer until the block ends."""
    hub = FakeHub(model_id)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hub.asked.append(self.path)
            found = hub.find(self.path.partition("?")[0])
            commit, content = found or ("", b"{}")
            self.send_response(404 if found is None else 200)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Content-Type", "application/json")
            self.send_header("X-Repo-Commit", commit)
            self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        do_HEAD = do_GET  # noqa: N815 - the base class calls it so

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
