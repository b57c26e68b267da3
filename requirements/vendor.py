"""Copy the console's libraries into the package: what browsers load, with digests, licences and types beside it.

Run by `make vendor`, which installs what tests/console/package-lock.json names; npm has checked its hashes by then. A
browser has no folder of packages to look names up in, so that imports are rewritten to name the file beside them.
"""

import hashlib
import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
LOCK = ROOT / "tests" / "console" / "package-lock.json"
VENDOR = ROOT / "src" / "windrow" / "console" / "vendor"
REGISTRY = "https://registry.npmjs.org"
# The served file, what others import it by, and where it is in its package.
FILES = {
    "preact.js": ("preact", "preact", "dist/preact.mjs"),
    "hooks.js": ("preact/hooks", "preact", "hooks/dist/hooks.mjs"),
    "htm.js": ("htm", "htm", "dist/htm.mjs"),
    "signals-core.js": ("@preact/signals-core", "@preact/signals-core", "dist/signals-core.mjs"),
    "signals.js": ("@preact/signals", "@preact/signals", "dist/signals.mjs"),
}
HEADER = """\
# What the console's libraries are, and where they come from (TOML). Written by `make vendor`.
"""
# What `tsc` reads in the place of a library: the types of its package. It has to stand beside the library.
TYPES = {"htm.js": 'export { default } from "htm";\n'}
# Whatever stands in quotes behind "from" or "import", also where no space is between.
IMPORT = re.compile(r"""\b(from|import)(\s*\(?\s*)(["'])([^"']+)\3""")
# The map is not served. The comment may stand behind the code, on the one line of the file.
SOURCE_MAP = re.compile(r"\s*//# sourceMappingURL=\S+\s*\Z")


def served_text(source: str) -> str:
    """Return a library's file as it is served: its imports lead to the files beside it, and it names no source map."""
    beside = {name: f"./{file}" for file, (name, _, _) in FILES.items()}
    text = IMPORT.sub(lambda found: f"{found[1]}{found[2]}{found[3]}{beside[found[4]]}{found[3]}", source)
    return SOURCE_MAP.sub("", text).rstrip("\n") + "\n"


def tarball(package: str, version: str) -> str:
    """Return where npm's registry has a version of a package."""
    return f"{REGISTRY}/{package}/-/{package.rpartition('/')[2]}-{version}.tgz"


def entry(file: str, served: bytes, locked: dict[str, dict[str, str]]) -> str:
    """Return the lines about a served file."""
    package = FILES[file][1]
    lock = locked[f"node_modules/{package}"]
    facts = {
        "package": package,
        "version": lock["version"],
        "licence": lock["license"],
        "sha256": hashlib.sha256(served).hexdigest(),
        "from": FILES[file][2],
        "tarball": tarball(package, lock["version"]),
        "integrity": lock["integrity"],
    }
    return "\n".join([f'["{file}"]', *(f'{name} = "{value}"' for name, value in facts.items())]) + "\n"


def licences(packages: Path) -> str:
    """Return the licence of each package, under its name."""
    names = sorted({package for _, package, _ in FILES.values()})
    texts = [f"{name}\n{'=' * len(name)}\n\n{(packages / name / 'LICENSE').read_text().strip()}\n" for name in names]
    return "\n\n".join(texts)


def main() -> None:
    """Write the folder."""
    packages = Path(sys.argv[1])
    locked = json.loads(LOCK.read_text())["packages"]
    VENDOR.mkdir(parents=True, exist_ok=True)
    entries = []
    for file, (name, package, path) in FILES.items():
        served = served_text((packages / package / path).read_text(encoding="utf-8")).encode()
        (VENDOR / file).write_bytes(served)
        (VENDOR / file).with_suffix(".d.ts").write_text(TYPES.get(file, f'export * from "{name}";\n'))
        entries.append(entry(file, served, locked))
    (VENDOR / "VERSIONS").write_text(HEADER + "\n" + "\n".join(entries))
    (VENDOR / "LICENSES").write_text(licences(packages))


if __name__ == "__main__":
    main()
