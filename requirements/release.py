"""Make what a release consists of: wheel, source archive, list of packages (SBOM), and the digests of all three.

Run by `make dist` and `make release`, in the environment that builds. `make release` first checks that the version has
its section in the changelog, and that what is built is what is committed.
"""

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

from requirements.shipped import ROOT, bill_of_materials, windrow_version

DIST = ROOT / "dist"
DIGESTS = "SHA256SUMS"
HEADING = re.compile(r"^## \[([^\]]+)\](?: - (\d{4}-\d{2}-\d{2}))?$", re.MULTILINE)


def objections(version: str, changelog: str, uncommitted: str) -> list[str]:
    """Return why a version cannot be released yet.

    Args:
        version: The version that the sources say.
        changelog: CHANGELOG.md.
        uncommitted: What `git status --porcelain` prints.
    """
    headings = list(HEADING.finditer(changelog))
    why = []
    if headings and headings[0][1] == "Unreleased":
        end = headings[1].start() if len(headings) > 1 else len(changelog)
        if changelog[headings[0].end() : end].strip():
            why.append(f"CHANGELOG.md has lines below [Unreleased]: put ## [{version}] - YYYY-MM-DD above them.")
        del headings[0]
    newest, date = (headings[0][1], headings[0][2]) if headings else ("no version", None)
    if newest != version:
        why.append(f"CHANGELOG.md begins with {newest}, but the sources say {version}.")
    elif not date:
        why.append(f"CHANGELOG.md gives no date for {version}: write ## [{version}] - YYYY-MM-DD.")
    if uncommitted.strip():
        why.append(f"These are not committed, but would be built:\n{uncommitted.rstrip()}")
    return why


def build(folder: Path) -> list[Path]:
    """Build everything into a folder, in the place of what was built there before, and return its files."""
    folder.mkdir(exist_ok=True)
    for former in folder.glob("windrow-*"):
        former.unlink()
    hatchling = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--target", "sdist"]
    subprocess.run([*hatchling, "--directory", str(folder)], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    bill = folder / f"windrow-{windrow_version()}.cdx.json"
    bill.write_text(json.dumps(bill_of_materials(), indent=2, sort_keys=True) + "\n")
    write_digests(folder)
    return [*sorted(folder.glob("windrow-*")), folder / DIGESTS]


def write_digests(folder: Path) -> None:
    """Write the SHA-256 of each file of a release in a folder, as `sha256sum --check` reads it."""
    files = sorted(folder.glob("windrow-*"))
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    (folder / DIGESTS).write_text("".join(lines))


def main() -> None:
    """Check, if a release is asked for, and build."""
    if sys.argv[1:] == ["release"]:
        status = subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, capture_output=True, text=True, check=True)
        if why := objections(windrow_version(), (ROOT / "CHANGELOG.md").read_text(), status.stdout):
            raise SystemExit("Nothing was built.\n" + "\n".join(why))
    for path in build(DIST):
        print(f"{path.relative_to(ROOT)}  {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
