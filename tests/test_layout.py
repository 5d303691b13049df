"""Imports go one way: Scrapy glue, then stage packages, then the settings, rows and errors that all of them read."""

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

from tests.crawling import REPOSITORY

PACKAGE = REPOSITORY / "audiocrawler"
GROUND = ("__init__", "__version__", "model", "scrapy_private", "sniff")
STAGES = (
    "rights",
    "discovery",
    "archives",
    "analysis",
    "storage",
    "warehouse",
    "frontier",
    "rendering",
    "fetch",
    "report",
    "export",
)
GLUE = (
    "config",
    "crawl",
    "records",
    "middlewares",
    "browser",
    "extensions",
    "terminal",
    "doctor",
    "logs",
    "exports",
    "pipelines",
    "spiders",
    "scheduler",
    "collection",
    "browse",
    "commands",
    "program",
    "settings",
    "scrapyd_launcher",
)
MODULES = sorted(PACKAGE.rglob("*.py"))


@cache
def imported(path: Path) -> frozenset[str]:
    return frozenset(names_in(ast.parse(path.read_text(encoding="utf-8"))))


def names_in(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def offenders(wrong_in: Callable[[Path], Collection[str]]) -> dict[str, list[str]]:
    """Return what is wrong in each module where something is."""
    return {str(path.relative_to(PACKAGE)): sorted(wrong) for path in MODULES if (wrong := wrong_in(path))}


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def rooms_imported(path: Path) -> set[str]:
    return {name.split(".")[1] for name in imported(path) if name.startswith("audiocrawler.")}


def test_stages_import_neither_each_other_nor_the_glue() -> None:
    def wrong(path: Path) -> set[str]:
        room = room_of(path)
        if room in GLUE:
            return set()
        return rooms_imported(path) - ({*GROUND, room} if room in STAGES else {*GROUND})

    assert offenders(wrong) == {}


def test_no_two_rooms_import_each_other() -> None:
    imports: dict[str, set[str]] = {}
    for path in MODULES:
        imports.setdefault(room_of(path), set()).update(rooms_imported(path) - {room_of(path)})
    order = tuple(TopologicalSorter(imports).static_order())  # raises CycleError, which names the circle
    assert set(STAGES) < set(order)


def test_only_glue_fetch_and_discovery_know_scrapy() -> None:
    def wrong(path: Path) -> set[str]:
        if room_of(path) in {*GLUE, "fetch", "scrapy_private"} - {"collection"}:
            return set()
        scrapy = {name for name in imported(path) if name.split(".")[0] in {"scrapy", "twisted"}}
        is_discovery = room_of(path) == "discovery"
        return scrapy - ({"scrapy.http", "scrapy.http.Response", "scrapy.http.TextResponse"} if is_discovery else set())

    assert offenders(wrong) == {}


def test_modules_are_read_in_one_sitting() -> None:
    lines = {str(path.relative_to(PACKAGE)): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert {name: count for name, count in lines.items() if count > 500} == {}


def test_settings_of_ours_are_read_as_attributes_of_the_model() -> None:
    """The commands name stores and warehouses as they were given, which the model has checked before."""
    by_name = re.compile(r"""settings(?:\[|\.get\w*\()["']AUDIO_""")

    def wrong(path: Path) -> list[str]:
        return [] if room_of(path) == "commands" else by_name.findall(path.read_text(encoding="utf-8"))

    assert offenders(wrong) == {}


def test_the_crawls_own_process_loads_no_decoder_and_no_cloud_library() -> None:
    heavy = ("av", "numpy", "pydub", "google.cloud", "playwright", "redis", "rich", "pyarrow", "datasette", "uvicorn")
    code = (
        "import sys, audiocrawler.commands.crawl, audiocrawler.pipelines, audiocrawler.scheduler.scheduler\n"
        "import audiocrawler.spiders.audio, audiocrawler.browser.handler, audiocrawler.middlewares.optouts\n"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY)
    assert printed.stdout.strip() == "[]"


def test_an_export_loads_neither_scrapy_nor_what_comes_with_it() -> None:
    code = (
        "import sys, audiocrawler.collection.exporting\n"
        "print([name for name in ('scrapy', 'twisted', 'lxml', 'pydantic', 'pyarrow', 'av') if name in sys.modules])"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY)
    assert printed.stdout.strip() == "[]"
