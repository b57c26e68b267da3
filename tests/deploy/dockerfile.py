"""Reads a Dockerfile, as far as ours go: its stages, and the instructions of each."""

import json
import re
import shlex
from dataclasses import dataclass, field

# What is known here, beside FROM.
KEYWORDS = {"ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "HEALTHCHECK", "RUN", "USER", "VOLUME", "WORKDIR"}


@dataclass(frozen=True)
class Instruction:
    """One instruction: ``flags`` are the words that begin with ``--``, ``text`` is what stands behind them."""

    keyword: str
    flags: dict[str, str]
    text: str

    @property
    def words(self) -> list[str]:
        """What it holds, as a list: of the JSON form, or of words as a shell splits them."""
        return list(json.loads(self.text)) if self.text.startswith("[") else shlex.split(self.text)


@dataclass(frozen=True)
class Stage:
    """A stage: its name, the stage or image that it begins with, and what is done then."""

    name: str
    base: str
    instructions: list[Instruction] = field(default_factory=list)


def read_dockerfile(text: str) -> dict[str, Stage]:
    """Return the stages by name, in their order; the last one is built where none is named.

    Raises:
        ValueError: If there is an instruction that this reader does not know, or none begins a stage.
    """
    without_comments = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE)
    stages: dict[str, Stage] = {}
    stage = None
    for line in re.sub(r"\\\n", " ", without_comments).splitlines():
        if not line.strip():
            continue
        keyword, _, rest = line.strip().partition(" ")
        if keyword == "FROM":
            base, _, name = rest.partition(" AS ")
            stage = stages[name] = Stage(name, base)
        elif keyword not in KEYWORDS or stage is None:
            raise ValueError(f"{keyword} is not known here, or stands before the first FROM")
        else:
            stage.instructions.append(_instruction(keyword, rest))
    return stages


def _instruction(keyword: str, rest: str) -> Instruction:
    flags = {}
    while (found := re.match(r"\s*--([\w-]+)=(\S+)\s*", rest)) is not None:
        flags[found[1]] = found[2]
        rest = rest[found.end() :]
    return Instruction(keyword, flags, rest.strip())
