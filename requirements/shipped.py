"""What is shipped beside Windrow's own code, as a list in CycloneDX (an SBOM) with versions, licences and digests.

These are the packages of serve.txt, torch.txt and container.txt, as they are installed in .venv, and the libraries of
the console. cyclonedx-py reads the whole environment, in which packages of the tests may be too; they are left out.
"""

import base64
import json
import re
import subprocess
import tempfile
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
LOCKS = ("serve.txt", "torch.txt", "container.txt")
VENDORED = ROOT / "src" / "windrow" / "console" / "vendor" / "VERSIONS"
PYTHON = ROOT / ".venv" / "bin" / "python"
CYCLONEDX = ROOT / ".venv-release" / "bin" / "cyclonedx-py"
PIN = re.compile(r"^([\w.-]+==[\w.!-]+)(?: ; (.*?))?(?: \\)?$", re.MULTILINE)

Document = dict[str, Any]


def pins() -> dict[str, str]:
    """Return ``name==version`` of each package that is shipped, by name."""
    text = "\n".join((ROOT / "requirements" / lock).read_text() for lock in LOCKS)
    return {normalised(pin.partition("==")[0]): pin for pin, _ in PIN.findall(text)}


def normalised(name: str) -> str:
    """Return a package's name in the one spelling that the index uses."""
    return re.sub(r"[-_.]+", "-", name).lower()


def windrow_version() -> str:
    """Return the version that the sources say."""
    found = re.search(r'^__version__ = "(.+)"$', (ROOT / "src" / "windrow" / "__init__.py").read_text(), re.MULTILINE)
    assert found is not None
    return found[1]


def bill_of_materials() -> Document:
    """Return the list of what is shipped, in CycloneDX 1.6."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "all.json")
        project = ["--pyproject", str(ROOT / "pyproject.toml")]
        command = [str(CYCLONEDX), "environment", str(PYTHON), *project, "--output-reproducible"]
        subprocess.run([*command, "--output-format", "JSON", "--output-file", file], check=True)
        everything = json.loads(file.read_text())
    return reduce(everything, set(pins()), windrow_version(), vendored())


def reduce(everything: Document, wanted: set[str], version: str, more: list[Document]) -> Document:
    """Return a list of an environment without what is not shipped.

    Args:
        everything: The list, in CycloneDX, which is changed.
        wanted: The names of the packages that stay.
        version: Windrow's, which the list is about.
        more: Components that no environment of Python knows.

    Raises:
        SystemExit: If a package that is shipped is not installed.
    """
    main = everything["metadata"]["component"]
    main |= {"version": version, "purl": f"pkg:pypi/windrow@{version}"}
    kept = [each for each in everything["components"] if normalised(each["name"]) in wanted]
    if missing := wanted - {normalised(each["name"]) for each in kept}:
        raise SystemExit(f"Not installed in .venv, so nothing is known about them: {', '.join(sorted(missing))}.")
    refs = {main["bom-ref"], *(each["bom-ref"] for each in kept)}
    edges = [
        each | {"dependsOn": [ref for ref in each.get("dependsOn", []) if ref in refs]}
        for each in everything["dependencies"]
        if each["ref"] in refs
    ]
    for each in edges:
        if each["ref"] == main["bom-ref"]:
            each["dependsOn"] += [added["bom-ref"] for added in more]
    return everything | {"components": kept + more, "dependencies": edges}


def vendored() -> list[Document]:
    """Return the libraries of the console as components, each package once."""
    files = tomllib.loads(VENDORED.read_text()).values()
    return list({each["package"]: _component(each) for each in files}.values())


def _component(file: Document) -> Document:
    algorithm, _, digest = file["integrity"].partition("-")
    purl = f"pkg:npm/{file['package'].replace('@', '%40')}@{file['version']}"
    return {
        "bom-ref": purl,
        "type": "library",
        "name": file["package"],
        "version": file["version"],
        "purl": purl,
        "licenses": [{"license": {"id": file["licence"]}}],
        "externalReferences": [
            {
                "type": "distribution",
                "url": file["tarball"],
                "hashes": [
                    {"alg": algorithm.upper().replace("SHA", "SHA-"), "content": base64.b64decode(digest).hex()}
                ],
            }
        ],
    }
