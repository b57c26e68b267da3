"""What a reader may rely on: docstrings that fit the code, errors with codes, trees drawn as they are."""

import ast
import builtins
import inspect
import re
import string
from collections.abc import Iterator
from types import ModuleType

import pytest

from tests.source_tree import Definition, Function, Module, modules, parameters
from windrow.client import errors as client_errors
from windrow.domain import errors
from windrow.domain.errors import WindrowError
from windrow.http import problems

# What a template may name beside facts: the places that each surface fills in its own words.
WORDS = {"arg", "set", "unset", "place", "see", "send", "Send", "send_key", "no_rows", "turn_on", "Turn_on"}
# Dataclasses of the domain that are no part of JSON, files, arguments or options.
NO_DECLARATIONS = {"Dataset", "Quota", "Schema"}
FAMILIES = {"AccessDenied", "InvalidInput", "NotFound", "Conflict", "Unavailable", "Failure", "RequestProblem"}


@pytest.mark.parametrize("module", [m for m in modules() if m.source], ids=lambda module: module.name or "windrow")
def test_a_module_says_what_it_is_for(module: Module) -> None:
    assert ast.get_docstring(module.tree)


def test_each_field_of_a_declaration_has_a_docstring() -> None:
    silent = set()
    for module in modules():
        for node in module.classes() if module.name.startswith("domain.") else ():
            if node.name in NO_DECLARATIONS:
                continue
            documented = _documented_fields(node)
            silent |= {f"{module.name}.{node.name}.{name}" for name in _fields(node) if name not in documented}
    assert silent == set()


def test_an_error_names_in_its_sentence_only_facts_that_it_has() -> None:
    raised = [each for module in modules() for each in _literal_errors(module)]
    assert len(raised) > 60
    unknown = {
        f"{where}: {name}"
        for where, template, facts in raised
        for name in _named(template)
        if name not in facts and name not in WORDS
    }
    assert unknown == set()


def test_no_fact_of_an_error_has_the_name_of_a_member_of_every_problem() -> None:
    members = {"type", "title", "status", "code", "detail", "request_id", "template"}
    named = {
        f"{where}: {set(facts) & members}"
        for m in modules()
        for where, _, facts in _literal_errors(m)
        if set(facts) & members
    }
    assert named == set()


def test_everything_public_has_a_docstring() -> None:
    silent = {f"{module.name}.{node.name}" for module in modules() for node in module.public() if not _docstring(node)}
    assert silent == set()


def test_where_a_docstring_lists_arguments_they_are_the_real_ones() -> None:
    wrong = {}
    for module in modules():
        for node in module.public():
            listed, real = _listed_arguments(_docstring(node)), _real_arguments(node)
            if listed and listed != real:
                wrong[f"{module.name}.{node.name}"] = (listed, real)
    assert wrong == {}


def test_a_docstring_promises_only_errors_that_exist() -> None:
    ours = {node.name for module in modules() for node in module.classes()}
    unknown = {
        f"{module.name}.{node.name}: {name}"
        for module in modules()
        for node in module.public()
        for name in _listed_errors(_docstring(node))
        if name not in ours and not hasattr(builtins, name) and name != "pydantic.ValidationError"
    }
    assert unknown == set()


def test_each_error_that_is_raised_has_a_code_of_its_own() -> None:
    codes = [error.code for error in _leaves()]
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", code) for code in codes), codes
    assert len(set(codes)) == len(codes)


def test_a_family_of_errors_has_no_code_and_is_never_raised() -> None:
    assert {error.__name__ for error in _all_errors() if not error.code} == FAMILIES | {"WindrowError"}
    assert _constructed() & FAMILIES == set()


def test_each_error_is_raised_somewhere() -> None:
    assert {error.__name__ for error in _leaves()} - _constructed() == set()


def test_each_error_has_a_status() -> None:
    # What only a client can find out is never an answer.
    assert set(problems.STATUSES) == {error for error in _leaves() if error.__module__ != client_errors.__name__}


@pytest.mark.parametrize("module", [errors, problems], ids=lambda module: module.__name__)
def test_the_tree_drawn_in_the_docstring_is_the_real_one(module: ModuleType) -> None:
    drawn = [" ".join(line.split()) for line in (inspect.getdoc(module) or "").splitlines() if "── " in line]
    assert drawn == [" ".join(line.split()) for line in _draw(WindrowError, module.__name__)]


def _docstring(node: Definition) -> str:
    return ast.get_docstring(node) or ""


def _section(docstring: str, title: str) -> str:
    found = re.search(rf"^{title}:\n((?:    .*\n?|\n)+)", docstring, re.MULTILINE)
    return found.group(1) if found else ""


def _listed_arguments(docstring: str) -> list[str]:
    return re.findall(r"^    \**(\w+):", _section(docstring, "Args"), re.MULTILINE)


def _listed_errors(docstring: str) -> list[str]:
    return re.findall(r"^    ([\w.]+):", _section(docstring, "Raises"), re.MULTILINE)


def _real_arguments(node: Definition) -> list[str]:
    """Return a function's parameters; for a class, those of its ``__init__``, or its fields."""
    if isinstance(node, Function):
        return parameters(node)
    for member in node.body:
        if isinstance(member, Function) and member.name == "__init__":
            return parameters(member)
    fields = [member for member in node.body if isinstance(member, ast.AnnAssign)]
    names = [ast.unparse(field.target) for field in fields if "ClassVar" not in ast.unparse(field.annotation)]
    return [name for name in names if not name.startswith("_")]


def _fields(node: ast.ClassDef) -> list[str]:
    """Return a dataclass's public fields."""
    if not any("dataclass" in ast.unparse(each) for each in node.decorator_list):
        return []
    fields = (ast.unparse(member.target) for member in node.body if isinstance(member, ast.AnnAssign))
    return [field for field in fields if not field.startswith("_")]


def _documented_fields(node: ast.ClassDef) -> set[str]:
    """Return the fields below which a string stands."""
    return {
        ast.unparse(member.target)
        for member, below in zip(node.body, node.body[1:], strict=False)
        if isinstance(member, ast.AnnAssign) and isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
    }


def _literal_errors(module: Module) -> Iterator[tuple[str, str, dict[str, ast.expr]]]:
    """Yield where an error is made of a literal sentence and of literal facts, with both."""
    ours = {error.__name__ for error in _all_errors()}
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Call) or ast.unparse(node.func).split(".")[-1] not in ours or not node.args:
            continue
        template, facts = node.args[0], node.args[1] if len(node.args) > 1 else ast.Dict([], [])
        if not isinstance(template, ast.Constant) or not isinstance(facts, ast.Dict) or None in facts.keys:
            continue
        known = {str(ast.literal_eval(key)): value for key, value in zip(facts.keys, facts.values, strict=True) if key}
        yield f"{module.name}:{node.lineno}", str(template.value), known


def _named(template: str) -> set[str]:
    """Return what a template names, also inside the format of another place."""
    found = set()
    for _, name, spec, _ in string.Formatter().parse(template):
        found |= ({name} if name else set()) | _named(spec or "")
    return found


def _constructed() -> set[str]:
    """Return the names of everything that is called anywhere in the source."""
    calls = (node for module in modules() for node in ast.walk(module.tree) if isinstance(node, ast.Call))
    return {ast.unparse(call.func).split(".")[-1] for call in calls}


def _subclasses(error: type[WindrowError]) -> list[type[WindrowError]]:
    children = (child for child in error.__subclasses__() if child.__module__.startswith("windrow."))
    return [child for child in children if not child.__name__.startswith("_")]


def _draw(error: type[WindrowError], module: str, indent: str = "") -> Iterator[str]:
    """Yield a line for each error of a module below ``error``, depth first, in the order of definition."""
    children = [child for child in _subclasses(error) if child.__module__ == module]
    for child in children:
        last = child is children[-1]
        yield f"{indent}{'└' if last else '├'}── {child.__name__} {child.code}"
        yield from _draw(child, module, indent + ("    " if last else "│   "))


def _all_errors() -> list[type[WindrowError]]:
    found = [WindrowError]
    for error in found:
        found.extend(_subclasses(error))
    return found


def _leaves() -> list[type[WindrowError]]:
    return [error for error in _all_errors() if error.code]
