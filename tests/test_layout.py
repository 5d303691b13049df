"""Imports go one way: Scrapy glue, then stage packages, then the settings, rows and errors that all of them read."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.crawling import REPOSITORY

PACKAGE = REPOSITORY / "audiocrawler"
GROUND = ("__init__", "__version__", "model", "sniff")
STAGES = (
    "rights",
    "discovery",
    "analysis",
    "storage",
    "warehouse",
    "frontier",
    "rendering",
    "fetch",
    "report",
    "scrapy_private",
)
GLUE = (
    "config",
    "crawl",
    "records",
    "middlewares",
    "browser",
    "extensions",
    "logs",
    "exports",
    "pipelines",
    "spiders",
    "scheduler",
    "collection",
    "commands",
    "settings",
    "scrapyd_launcher",
)
MODULES = sorted(PACKAGE.rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def rooms_imported(path: Path) -> set[str]:
    return {name.split(".")[1] for name in imported(path) if name.startswith("audiocrawler.")}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_stages_import_neither_each_other_nor_the_glue(path: Path) -> None:
    room = room_of(path)
    if room in STAGES:
        assert not rooms_imported(path) - {*GROUND, room}
    elif room in GROUND:
        assert not rooms_imported(path) - {*GROUND}


def test_no_two_rooms_import_each_other() -> None:
    imports: dict[str, set[str]] = {}
    for path in MODULES:
        imports.setdefault(room_of(path), set()).update(rooms_imported(path) - {room_of(path)})
    order = tuple(TopologicalSorter(imports).static_order())  # raises CycleError, which names the circle
    assert set(STAGES) < set(order)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_glue_download_and_discovery_know_scrapy(path: Path) -> None:
    scrapy = {name for name in imported(path) if name.split(".")[0] in {"scrapy", "twisted"}}
    if room_of(path) == "discovery":
        assert scrapy <= {"scrapy.http", "scrapy.http.Response", "scrapy.http.TextResponse"}
    elif room_of(path) not in {*GLUE, "fetch", "scrapy_private"} - {"collection"}:
        assert not scrapy


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_modules_are_read_in_one_sitting(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 500


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_settings_of_ours_are_read_as_attributes_of_the_model(path: Path) -> None:
    """The commands name stores and warehouses as they were given, which the model has checked before."""
    by_name = re.compile(r"""settings(\[|\.get\w*\()["']AUDIO_""")
    if room_of(path) != "commands":
        assert by_name.findall(path.read_text(encoding="utf-8")) == []


def test_the_crawls_own_process_loads_no_decoder_and_no_cloud_library() -> None:
    heavy = ("av", "numpy", "pydub", "google.cloud", "playwright", "redis")
    code = (
        "import sys, audiocrawler.commands.crawl, audiocrawler.pipelines, audiocrawler.scheduler.scheduler\n"
        "import audiocrawler.spiders.audio, audiocrawler.browser.handler, audiocrawler.middlewares.optouts\n"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY)
    assert printed.stdout.strip() == "[]"
