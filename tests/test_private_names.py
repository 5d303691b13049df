"""A private name that has gone stops the process with one line, and there is none that is not looked for."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest
from scrapy import Spider

from audiocrawler.model.errors import ConfigurationError
from audiocrawler.model.rows import FileInfo
from audiocrawler.pipelines import AudioFilesPipeline
from audiocrawler.scrapy_private import NAMES, PLAYWRIGHT, SCRAPY, SCRAPYD, PrivateName, check_private_names
from tests.chromium import require_chromium
from tests.crawling import REPOSITORY, crawl
from tests.site.server import Site

PACKAGE = REPOSITORY / "audiocrawler"
MODULES = sorted(PACKAGE.rglob("*.py"))
LINE = re.compile(
    r"audiocrawler needs [\w-]+(?: [\w-]+)* [\d.]+ \(installed: [\d.]+\): (.+); pip install '[\w-]+>=[\d.]+,<[\d.]+'"
)
WITHOUT_QUEUE = "from scrapy.core.downloader import Slot; del Slot.queue"
QUEUE_LINE = (
    "audiocrawler needs Scrapy 2.19 (installed: 2.19.0): scrapy.core.downloader.Slot has no queue; "
    "pip install 'scrapy>=2.19,<2.20'"
)
OTHER_HANDLER = """
from scrapy_playwright.handler import ScrapyPlaywrightDownloadHandler
from audiocrawler.scheduler.scheduler import FrontierScheduler
ScrapyPlaywrightDownloadHandler.visit = ScrapyPlaywrightDownloadHandler._download_request_with_page
del ScrapyPlaywrightDownloadHandler._download_request_with_page
"""
NO_HANDLER = """
import sys
from audiocrawler.scheduler.scheduler import FrontierScheduler
sys.modules["scrapy_playwright"] = None
"""
SCRIPT = """
import sys
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.utils.project import get_project_settings
process = AsyncCrawlerProcess(get_project_settings())
process.crawl("audio", url=sys.argv[1])
process.start()
"""


def holder(each: PrivateName) -> tuple[Any, str]:
    """Return what holds the name, and the name within it."""
    module, _, qualified = each.path.partition(":")
    owner = import_module(module)
    *path, name = qualified.split(".")
    for part in path:
        owner = getattr(owner, part)
    return owner, name


def without_storing(function: Any, name: str) -> Any:
    """Return the function, but for calling an attribute otherwise."""
    code = function.__code__
    renamed = tuple("another" if each == name else each for each in code.co_names)
    return FunctionType(
        code.replace(co_names=renamed),
        function.__globals__,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )


def remove(each: PrivateName, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, name = holder(each)
    if isinstance(owner, type):
        others = {key: value for key, value in owner.__annotations__.items() if key != name}
        monkeypatch.setattr(owner, "__annotations__", others)
    if hasattr(owner, name):
        monkeypatch.delattr(owner, name)
    if name != "__init__" and "__init__" in vars(owner):
        monkeypatch.setattr(owner, "__init__", without_storing(owner.__init__, name))


@pytest.mark.parametrize("each", NAMES, ids=lambda each: each.path)
def test_a_name_that_is_gone_is_told_of(each: PrivateName, monkeypatch: pytest.MonkeyPatch) -> None:
    assert each.problem() is None
    check_private_names(each.library)
    remove(each, monkeypatch)
    with pytest.raises(ConfigurationError) as told:
        check_private_names(each.library)
    line = LINE.fullmatch(str(told.value))
    assert line, str(told.value)
    assert re.search(rf"\b{holder_name(each)}\b", line[1])
    assert str(told.value).endswith(f"pip install '{each.library.requirement}'")


def holder_name(each: PrivateName) -> str:
    return re.split(r"[.:]", each.path)[-1]


@pytest.mark.parametrize("each", [each for each in NAMES if each.takes is not None], ids=lambda each: each.path)
def test_a_name_that_takes_something_else_is_told_of(each: PrivateName, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, name = holder(each)
    others: list[Callable[..., Any]] = [lambda self, other, *, needed: None]
    if each.takes:
        others.append(lambda: None)
    for other in others:
        monkeypatch.setattr(owner, name, other)
        assert f"{name} does not take ({', '.join(each.takes or ())})" in str(each.problem())


def test_a_queue_of_something_else_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    (queue,) = (each for each in NAMES if each.annotated)
    owner, name = holder(queue)
    monkeypatch.setitem(owner.__annotations__, name, "deque[Request]")
    assert queue.problem() == f"scrapy.core.downloader.Slot.queue is not a {queue.annotated}"


@pytest.mark.parametrize("arguments", [["crawl", "audio", "-a", "url=http://127.0.0.1:9/"], ["list"]], ids=str)
def test_the_process_stops_with_one_line_before_anything_begins(arguments: list[str], tmp_path: Path) -> None:
    ended = python(f"{WITHOUT_QUEUE}\nfrom scrapy.cmdline import execute\nexecute()", *arguments, cwd=tmp_path)
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", f"{QUEUE_LINE}\n")
    assert list(tmp_path.iterdir()) == []


def test_a_crawl_from_a_script_asks_for_nothing_either(site: Site, tmp_path: Path) -> None:
    ended = python(f"{WITHOUT_QUEUE}\n{SCRIPT}", f"{site.url}/", cwd=tmp_path)
    assert QUEUE_LINE in ended.stderr
    assert site.requests == []


def python(code: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PYTHONPATH": str(REPOSITORY), "SCRAPY_SETTINGS_MODULE": "audiocrawler.settings"}
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=cwd, env=environment)


def test_scrapyds_launcher_stops_with_one_line() -> None:
    code = "from scrapyd.launcher import Launcher; del Launcher._get_message; import audiocrawler.scrapyd_launcher"
    ended = python(code, cwd=REPOSITORY)
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    assert "scrapyd.launcher.Launcher has no _get_message; pip install 'scrapyd>=1.6,<1.7'" in ended.stderr


def test_another_scrapy_playwright_ends_the_crawl_when_a_page_needs_it(site: Site, tmp_path: Path) -> None:
    require_chromium()
    (tmp_path / "other.py").write_text(OTHER_HANDLER, encoding="utf-8")
    settings = {"SCHEDULER": "other.FrontierScheduler"}
    plain = crawl(tmp_path, f"url={site.url}/shore.html", settings=settings)
    assert (plain.code, plain.stderr.count("scrapy-playwright")) == (0, 0)
    run = crawl(tmp_path, f"url={site.url}/scripted/shadow.html", "render=always", settings=settings)
    assert run.code == 2
    assert "ScrapyPlaywrightDownloadHandler has no _download_request_with_page; pip install" in run.stderr


def test_without_scrapy_playwright_the_crawl_goes_on(site: Site, tmp_path: Path) -> None:
    require_chromium()
    (tmp_path / "other.py").write_text(NO_HANDLER, encoding="utf-8")
    starts = f"url={site.url}/shore.html {site.url}/scripted/shadow.html"
    run = crawl(tmp_path, starts, settings={"SCHEDULER": "other.FrontierScheduler"})
    assert (run.code, run.log.count("is not installed: pip install 'audiocrawler[browser]'")) == (0, 1)


def test_the_versions_are_those_that_pip_is_held_to() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = [
        *project["dependencies"],
        *(each for extra in project["optional-dependencies"].values() for each in extra),
    ]
    assert {each.requirement for each in (SCRAPY, PLAYWRIGHT, SCRAPYD)} <= set(declared)
    assert any(re.fullmatch(r"twisted>=[\d.]+,<\d+", each) for each in declared)


def own_classes() -> Iterator[type]:
    for path in MODULES:
        if path.name == "scrapyd_launcher.py" or path.parts[-2:] == ("analysis", "worker.py"):
            continue  # the one is made for Scrapyd's process, the other for its own
        name = ".".join(path.relative_to(REPOSITORY).with_suffix("").parts).removesuffix(".__init__")
        for value in vars(import_module(name)).values():
            if isinstance(value, type) and value.__module__ == name:
                yield value


def test_nothing_private_is_overridden_that_is_not_looked_for() -> None:
    known = {each.path for each in NAMES}
    for own in own_classes():
        for base in own.__mro__[1:]:
            if base.__module__.startswith(("scrapy.", "scrapy_playwright.", "twisted.", "scrapyd.")):
                private = {name for name in vars(own) if re.match(r"_(?!abc_)[a-z]", name)} & vars(base).keys()
                assert {f"{base.__module__}:{base.__qualname__}.{name}" for name in private} <= known, own


def private_reaches(path: Path) -> Iterator[str]:
    """Yield the attributes and imports by which a module reaches into what is not its own."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and re.match(r"_[a-z]", node.attr) and not is_own(node.value):
            yield ast.unparse(node)
        elif isinstance(node, ast.ImportFrom):
            names = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
            yield from (name for name in names if re.match(r"_[a-z]", name))


def is_own(value: ast.expr) -> bool:
    return isinstance(value, ast.Name) and value.id in {"self", "cls"}


ALLOWED = {
    "etree._Element",  # lxml has no other name for the type
    "os._exit",  # documented
    "status._value_",  # documented, for members with more than a value
    "parts._replace",  # a named tuple's, documented
    "extension._attach",  # of its own class
    "super()._follow",  # of our own classes
    "super()._take",
}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_private_names_are_used_in_their_own_module_alone(path: Path) -> None:
    if path.name != "scrapy_private.py":
        overridden = {f"super().{each.path.rpartition('.')[2]}" for each in NAMES}
        assert set(private_reaches(path)) - ALLOWED - overridden == set()
        noqas = re.findall(r".*noqa: .*SLF001.*", path.read_text(encoding="utf-8"))
        assert all("etree._Element" in line for line in noqas)


def test_what_other_peoples_items_have_downloaded_is_not_kept() -> None:
    info = AudioFilesPipeline.SpiderInfo(Spider("s"))
    info.downloaded[b"fingerprint"] = FileInfo(url="", path="", checksum="", status="downloaded")
    assert len(info.downloaded) == 0
