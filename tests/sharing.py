"""Which tests share what takes a while to make, so that one process of xdist makes it once and runs all of them.

That is ``whole_crawl``, and what a fixture of their file makes in a folder that is no test's own, mostly a crawl.
"""

import ast
from functools import cache
from pathlib import Path
from zlib import crc32

EVERYBODYS = "whole_crawl"


def group_of(nodeid: str, repository: Path) -> str:
    """Return what a test shares with others, or its own name."""
    path, _, rest = nodeid.partition("::")
    name = rest.partition("[")[0].rpartition("::")[2]
    return " ".join(sorted(_made_for(name, repository / path))) or nodeid


def place_of(nodeid: str, repository: Path) -> tuple[bool, int]:
    """Return where a test comes in the order of all: slow ones first, and those that ask the same server apart."""
    return not _is_slow(repository / nodeid.partition("::")[0]), crc32(group_of(nodeid, repository).encode())


@cache
def _is_slow(path: Path) -> bool:
    text = path.read_text(encoding="utf-8")
    return "tests.crawling" in text or "warehouse" in text


@cache
def _made_for(name: str, path: Path) -> frozenset[str]:
    """Return what is made for a test or a fixture, by itself or by the fixtures that it asks for."""
    function = _functions(path).get(name)
    if name == EVERYBODYS or function is None:
        return frozenset({name} & {EVERYBODYS})
    wanted = [argument.arg for argument in function.args.args if argument.arg != name]
    if "tmp_path_factory" in wanted:
        return frozenset({f"{path}::{name}"})
    return frozenset().union(*(_made_for(each, path) for each in wanted))


@cache
def _functions(path: Path) -> dict[str, ast.FunctionDef]:
    text = path.read_text(encoding="utf-8")
    if "tmp_path_factory" not in text and EVERYBODYS not in text:
        return {}
    return {node.name: node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)}
