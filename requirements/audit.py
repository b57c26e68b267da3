"""Look at what is shipped for known vulnerabilities, and at its licences. Run by `make audit`.

pip-audit asks PyPI's database, or else that of OSV. Where neither can be reached, that is said, and licences alone
decide the exit status. A package that no database knows was not looked at, and is named.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from requirements.shipped import ROOT, Document, bill_of_materials, normalised, pins

PIP_AUDIT = ROOT / ".venv-release" / "bin" / "pip-audit"
SERVICES = ("pypi", "osv")
# What may be shipped with a program under Apache-2.0 without further conditions for those who use it.
PERMITTED = {
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MPL-2.0",  # of files that Windrow does not change
    "PSF-2.0",
    "Zlib",
}
# How metadata without an SPDX expression say it.
CLASSIFIERS = {
    "License :: OSI Approved :: Apache Software License": "Apache-2.0",
    "License :: OSI Approved :: BSD License": "BSD-3-Clause",
}
# Those whose metadata name none; it stands in the file LICENSE of the package.
BY_FILE = {"protobuf": "BSD-3-Clause"}


def licences(component: Document) -> list[str]:
    """Return the licences that a component of a list is under, as SPDX expressions or as its metadata word them."""
    given = component.get("licenses", [])
    worded = [each.get("expression") or each["license"].get("id") or each["license"].get("name") for each in given]
    by_file = BY_FILE.get(normalised(component["name"]), "none named")
    return [CLASSIFIERS.get(each, each) for each in worded] or [by_file]


def is_permitted(expression: str) -> bool:
    """Return whether all licences of an SPDX expression may be shipped; of a choice (OR), one of them."""
    choices = [choice.split(" AND ") for choice in re.sub(r"[()]", "", expression).split(" OR ")]
    return any(all(each.strip() in PERMITTED for each in choice) for choice in choices)


def objections(bill: Document) -> list[str]:
    """Return each component of a list with a licence that is not permitted, or with none."""
    found = [(component, licences(component)) for component in bill["components"]]
    return [
        f"{component['name']} {component['version']}: {', '.join(names)}"
        for component, names in found
        if not all(is_permitted(each) for each in names)
    ]


def ask(service: str) -> list[dict[str, Any]] | None:
    """Return what a database says of each package; ``None`` if it cannot be reached, or knows none of them."""
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder, "requirements.txt")
        wanted.write_text("\n".join(pins().values()))
        options = ["--requirement", str(wanted), "--no-deps", "--disable-pip", "--progress-spinner", "off"]
        command = [str(PIP_AUDIT), *options, "--format", "json", "--vulnerability-service", service]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    return read_answer(done.stdout)


def read_answer(text: str) -> list[dict[str, Any]] | None:
    """Return pip-audit's answer for each package; ``None`` if there is none, or none was looked at."""
    try:
        packages: list[dict[str, Any]] = json.loads(text)["dependencies"]
    except json.JSONDecodeError:
        return None
    return packages if any("skip_reason" not in each for each in packages) else None


def findings(packages: list[dict[str, Any]]) -> list[str]:
    """Return a line for each known vulnerability."""
    return [
        f"{each['name']} {each['version']}: {found['id']}"
        + (f", mended in {', '.join(found['fix_versions'])}" if found["fix_versions"] else ", not mended yet")
        for each in packages
        for found in each.get("vulns", [])
    ]


def main() -> None:
    """Print what was found; the exit status is 1 if that is anything."""
    answers = ((service, ask(service)) for service in SERVICES)
    service, packages = next((each for each in answers if each[1] is not None), ("", None))
    if packages is None:
        print("Vulnerabilities: not looked at, since the databases of PyPI and OSV cannot be reached from here.")
        found = []
    else:
        found = findings(packages)
        unknown = [each["name"] for each in packages if "skip_reason" in each]
        print(f"Vulnerabilities, by {service}: {len(found)} known in {len(packages) - len(unknown)} packages.")
        print("".join(f"  not in the database: {name}\n" for name in unknown), end="")
    bill = bill_of_materials()
    refused = objections(bill)
    print("".join(f"  {line}\n" for line in found), end="")
    print(f"Licences: {len(bill['components']) - len(refused)} of {len(bill['components'])} packages may be shipped.")
    print("".join(f"  not permitted (requirements/audit.py): {line}\n" for line in refused), end="")
    sys.exit(bool(found or refused))


if __name__ == "__main__":
    main()
