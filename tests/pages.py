"""Somebody who follows a page of the documentation: its commands are run as they stand."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.source_tree import ROOT

SHOWN_ADDRESS = "127.0.0.1:14345"
TEXT = "send me the bill"


@dataclass(frozen=True)
class Reader:
    """Somebody who follows a page in a folder of his own.

    Args:
        folder: The folder, in which there is a data directory.
        address: Of the server that runs on it; that of the pages where there is none.
    """

    folder: Path
    address: str = SHOWN_ADDRESS

    def follow(self, page: str) -> list[str]:
        """Run the blocks of a page, and return what each printed."""
        return [self.run(block) for block in shown_blocks(page, "sh")]

    def run(self, commands: str) -> str:
        """Run some commands, all of which must succeed, and return what they printed."""
        shell = ["bash", "-euo", "pipefail", "-c", commands.replace(SHOWN_ADDRESS, self.address)]
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        done = subprocess.run(shell, cwd=self.folder, capture_output=True, text=True, env={**os.environ, "PATH": path})
        assert done.returncode == 0, f"{commands}\n{done.stdout}{done.stderr}"
        return done.stdout

    def label(self, data_dir: str, name: str = "tickets") -> str:
        """Return the label that a classifier gives, without a server."""
        printed = self.run(f"windrow predict {name} --text '{TEXT}' --data-dir {data_dir} --json")
        label: str = json.loads(printed)["label"]
        return label


def shown_blocks(page: str, language: str) -> list[str]:
    """Return the blocks of a language of a how-to page, in their order."""
    text = (ROOT / "docs" / "how-to" / f"{page}.md").read_text()
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
    return [re.sub(f"^{indent}", "", block, flags=re.MULTILINE) for indent, block in found]


def write_command(folder: Path) -> None:
    """Put the command `windrow`, and the Python that has it, into the folder of a reader."""
    folder = folder / "bin"
    folder.mkdir()
    for name, arguments in (("windrow", "-m windrow"), ("python3", "")):
        command = folder / name
        command.write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments} "$@"\n')
        command.chmod(0o755)
