"""Which tests share what takes a while to make, so that one process of xdist makes it once and runs all of them.

That is what a fixture makes which is not each test's own and wants a folder: a crawl, most of the time.
"""

import ast
from functools import cache
from pathlib import Path

_EVERYBODYS = Path(__file__).with_name("conftest.py")


def group_of(nodeid: str, repository: Path) -> str:
    """Return what a test shares with others, or its own name."""
    path, _, rest = nodeid.partition("::")
    name = rest.partition("[")[0].rpartition("::")[2]
    return " ".join(_made_for(name, repository / path)) or nodeid


def is_slow(path: Path) -> bool:
    """Tell whether the tests of a file run commands."""
    return "tests.crawling" in path.read_text(encoding="utf-8")


@cache
def _made_for(name: str, path: Path) -> tuple[str, ...]:
    """Return what is made for a test or a fixture, by itself or by the fixtures that it asks for."""
    function = _functions(path).get(name)
    if function is None:
        return _made_for(name, _EVERYBODYS) if path != _EVERYBODYS else ()
    wanted = [argument.arg for argument in function.args.args if argument.arg not in {name, "self"}]
    if "tmp_path_factory" in wanted and _is_shared(function):
        return (f"{path}::{name}",)
    return tuple(sorted({made for each in wanted for made in _made_for(each, path)}))


def _is_shared(function: ast.FunctionDef) -> bool:
    return any("scope=" in ast.unparse(each) for each in function.decorator_list)


@cache
def _functions(path: Path) -> dict[str, ast.FunctionDef]:
    module = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name: node for node in ast.walk(module) if isinstance(node, ast.FunctionDef)}
