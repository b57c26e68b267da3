"""The budgets that keep the house small. Run with -s to see the figures."""

import ast
import re
from collections.abc import Iterator

from tests.source_tree import PACKAGE, Definition, Function, Module, modules, num_lines, parameters

MAX_MODULE_LINES = 600
WISHED_MODULE_LINES = 400
MAX_P90_FUNCTION_LINES = 30
MAX_PROTOCOL_METHODS = 5
MAX_PARAMETERS = 5
BANNED_WORDS = {"manager", "helper", "util", "common", "misc", "engine", "handler"}


def test_no_module_is_longer_than_600_lines() -> None:
    sizes = {module.name: module.num_lines for module in modules()}
    print(f"\n{len(sizes)} modules, {sum(sizes.values())} lines, longest {max(sizes.values())}")
    print(f"longer than {WISHED_MODULE_LINES}: {[n for n, size in sizes.items() if size > WISHED_MODULE_LINES]}")
    assert {name: size for name, size in sizes.items() if size > MAX_MODULE_LINES} == {}


def test_nine_functions_in_ten_take_at_most_30_lines() -> None:
    lengths = sorted(num_lines(function) for module in modules() for function in module.functions())
    p90 = lengths[len(lengths) * 9 // 10]
    median = lengths[len(lengths) // 2]
    print(f"\n{len(lengths)} functions, lines: median {median}, 90th percentile {p90}, longest {lengths[-1]}")
    assert p90 <= MAX_P90_FUNCTION_LINES


def test_a_protocol_has_at_most_5_methods_unless_it_is_operations_or_a_document() -> None:
    protocols = [c for m in modules() for c in m.classes() if any(ast.unparse(b) == "Protocol" for b in c.bases)]
    sizes = {p.name: sum(isinstance(node, Function) for node in p.body) for p in protocols}
    print(f"\nprotocols: {sizes}")
    assert sizes.pop("Operations") > 0
    # All that a file can be read as, so that a format needs to know nothing else; each format calls two or three.
    assert sizes.pop("Document") > 0
    assert {name: size for name, size in sizes.items() if size > MAX_PROTOCOL_METHODS} == {}


def test_a_function_has_at_most_5_parameters_unless_others_make_options_of_them() -> None:
    functions = [(m, f) for m in modules() for f in m.functions() if not _is_verb(f) and not _is_estimator(m, f)]
    counts = {f"{m.name}.{f.name}": len(parameters(f)) for m, f in functions}
    assert {name: count for name, count in counts.items() if count > MAX_PARAMETERS} == {}


def test_no_name_contains_a_word_that_says_nothing() -> None:
    found = {f"{module.name}: {name}" for module in modules() for name in _names(module) if _says_nothing(name)}
    assert found == set()


def _is_verb(function: Function) -> bool:
    """Whether Typer makes an option of each parameter."""
    return any(re.match(r"\w+\.(command|callback)\(", ast.unparse(each)) for each in function.decorator_list)


def _is_estimator(module: Module, function: Function) -> bool:
    """Whether scikit-learn makes a hyper-parameter of each parameter: it reads them from that signature alone."""
    return (module.name, function.name) == ("estimator", "__init__")


def _names(module: Module) -> Iterator[str]:
    """Yield every name that a module gives: its own, its classes', functions', parameters' and variables'."""
    yield from module.path.relative_to(PACKAGE).with_suffix("").parts
    for node in ast.walk(module.tree):
        if isinstance(node, Definition):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def _says_nothing(name: str) -> bool:
    words = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)]
    return words == ["base"] or any(word.removesuffix("s") in BANNED_WORDS for word in words)
