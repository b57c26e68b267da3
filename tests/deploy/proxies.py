"""Runs nginx and Caddy with the files of deploy/, before a server of a test: other ports and certificates, no more."""

import os
import re
import shutil
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from pathlib import Path

from tests.http.certificates import Authority
from tests.ports import free_port
from tests.source_tree import ROOT

START_TIMEOUT_S = 60
# Around the example: what Debian's own nginx.conf says, with folders of the test.
NGINX = """\
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr;
{user}
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/windrow.conf;
}}
"""
CADDY = "{\n\tadmin off\n\tauto_https disable_redirects\n}\n"


class Proxy(ABC):
    """A proxy with TLS before a server.

    Args:
        folder: For its files.
        upstream_port: The server's.
    """

    program: str

    def __init__(self, folder: Path, upstream_port: int) -> None:
        self.authority = Authority(folder)
        self.port = free_port()
        self._log = folder / "proxy.log"
        files = {"/etc/letsencrypt/live/windrow.example/fullchain.pem": str(self.authority.certificate)}
        files |= {"/etc/letsencrypt/live/windrow.example/privkey.pem": str(self.authority.key)}
        command = self._configure(folder, {"127.0.0.1:14345": f"127.0.0.1:{upstream_port}", **files})
        with self._log.open("w") as log:
            self._process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._listens():
            assert self._process.poll() is None, self._log.read_text()
            assert time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.05)

    @abstractmethod
    def _configure(self, folder: Path, exchanged: dict[str, str]) -> list[str]:
        """Write its files, with what is exchanged in the example, and return its command."""

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(START_TIMEOUT_S)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


class Nginx(Proxy):
    """Debian's nginx, with ``deploy/nginx/windrow.conf``."""

    program = "nginx"

    def _configure(self, folder: Path, exchanged: dict[str, str]) -> list[str]:
        example = (ROOT / "deploy" / "nginx" / "windrow.conf").read_text()
        ours = exchange(example, exchanged | {"listen 443 ": f"listen 127.0.0.1:{self.port} "})
        (folder / "windrow.conf").write_text(ours)
        user = "user root;" if os.geteuid() == 0 else ""
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, user=user))
        return [find("nginx"), "-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf")]


class Caddy(Proxy):
    """Debian's Caddy, with ``deploy/caddy/Caddyfile``."""

    program = "caddy"

    def _configure(self, folder: Path, exchanged: dict[str, str]) -> list[str]:
        example = (ROOT / "deploy" / "caddy" / "Caddyfile").read_text()
        certificate = f"\ttls {self.authority.certificate} {self.authority.key}\n"
        site = {"\nwindrow.example {\n": f"\nhttps://127.0.0.1:{self.port} {{\n{certificate}"}
        upstream = {"127.0.0.1:14345": exchanged["127.0.0.1:14345"]}
        file = folder / "Caddyfile"
        file.write_text(CADDY + exchange(example, upstream | site))
        return ["env", f"HOME={folder}", find("caddy"), "run", "--config", str(file), "--adapter", "caddyfile"]


def exchange(text: str, exchanged: dict[str, str]) -> str:
    """Return an example with other addresses and files; each must be in it once, so that no other line is changed."""
    for old, new in exchanged.items():
        assert len(re.findall(re.escape(old), text)) == 1, f"{old} is in the example not once"
        text = text.replace(old, new)
    return text


def find(program: str) -> str:
    """Return where a program is, which may be outside an ordinary user's search path; empty if it is nowhere."""
    return shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") or ""
