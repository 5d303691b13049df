"""README.md says what the code does: columns, settings, arguments, statuses, exit codes and commands."""

import json
import re

import pytest

from audiocrawler import settings
from audiocrawler.config.arguments import Arguments
from audiocrawler.crawl import exit_codes
from audiocrawler.model.rows import TABLES, Table
from audiocrawler.model.statuses import Status
from tests.crawling import REPOSITORY, Run

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
ONLY_SOMETIMES = {
    *("audio/starts_failed", "audio/failed_start/<reason>", "audio/turned_away/<reason>", "audio/listed"),
    *("audio/mended", "audio/pages_asked_again"),
}
"""Stats that a crawl of the whole site has no reason for."""


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_column_is_documented_as_it_is_declared(table: Table) -> None:
    section = README.partition(f"### {table.name}\n")[2].partition("\n#")[0]
    documented = re.findall(r"^\| `(\w+)` \| (\w+) \| (\w+) \| (.+) \|$", section, re.MULTILINE)
    assert documented == [(c.name, c.type, c.mode, c.description) for c in table.columns]


def test_every_setting_is_documented_and_no_other() -> None:
    own = {name for name in vars(settings) if name.startswith("AUDIO_")}
    assert set(re.findall(r"^\| `(AUDIO_\w+)` \|", README, re.MULTILINE)) == own
    assert {name for name in re.findall(r"AUDIO_\w+", README) if not name.startswith("AUDIO_TEST_")} <= own


@pytest.mark.parametrize(
    "name", ["AUDIO_STORE", "AUDIO_WAREHOUSE", "AUDIO_INCOMING", "AUDIO_LOG_DIR", "AUDIO_MANIFEST_DIR"]
)
def test_defaults_are_documented_as_they_are(name: str) -> None:
    assert f"| `{name}` | `{getattr(settings, name)}` |" in README


def test_every_argument_is_documented_as_it_is_declared() -> None:
    documented = re.findall(r"^\| `([a-z]+)` \| (.+) \|$", README.partition("## What became")[0], re.MULTILINE)
    assert documented == [(name, field.description) for name, field in Arguments.model_fields.items()]


def test_every_status_is_documented_as_it_is_declared() -> None:
    table = README.partition("| status | meaning |\n")[2].partition("\n\n")[0]
    documented = re.findall(r"^\| ([a-z_]+) \| (.+) \|$", re.sub(r"\[(\w+)\]\(#\w+\)", r"\1", table), re.MULTILINE)
    assert documented == [(status, status.meaning) for status in Status]


def test_every_exit_code_is_documented() -> None:
    codes = {value for name, value in vars(exit_codes).items() if name.isupper()}
    assert {int(code) for code in re.findall(r"^\| (\d+) \| ", README, re.MULTILINE)} == codes


def test_the_files_that_it_names_are_there() -> None:
    for path in re.findall(r"\]\(([\w/.-]+)\)", README):
        assert (REPOSITORY / path).is_file(), path
    for name in re.findall(r"^\| `(\w+)`: ", README, re.MULTILINE):
        assert (REPOSITORY / "benchmarks" / f"{name}.py").is_file(), name


def test_every_stat_of_a_real_crawl_is_documented_and_no_other(whole_crawl: Run) -> None:
    (path,) = (whole_crawl.folder / "data/crawls").iterdir()
    stats = json.loads(path.read_text(encoding="utf-8"))["stats"]
    documented = re.findall(r"^\| `((?:audio|warehouse)/[^`]+)` \|", README, re.MULTILINE)
    places = {"<mechanism>": "[a-z0-9_]+", "<status>": f"(?:{'|'.join(Status)})", "<reason>": ".+"}
    patterns = {name: re.sub("<[a-z]+>", lambda place: places[place[0]], name) for name in documented}
    own = [name for name in stats if name.startswith(("audio/", "warehouse/"))]
    assert [name for name in own if not any(re.fullmatch(each, name) for each in patterns.values())] == []
    seen = {name for name, pattern in patterns.items() if any(re.fullmatch(pattern, each) for each in own)}
    assert documented
    assert set(documented) - seen == ONLY_SOMETIMES
