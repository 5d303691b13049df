"""README.md says what the code does: columns, settings, arguments, statuses, exit codes and commands."""

import json
import re

from audiocrawler.crawl import exit_codes
from audiocrawler.model.settings import NAMES
from audiocrawler.model.statuses import Status
from docs.tables import BLOCK, PRINTED, rewritten
from tests.crawling import REPOSITORY, Run

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
ONLY_SOMETIMES = {
    *("audio/starts_failed", "audio/failed_start/<reason>", "audio/turned_away/<reason>", "audio/listed"),
    *("audio/mended", "audio/pages_asked_again", "audio/pages_in_part"),
    *("audio/texts_transcript", "audio/texts_chapters", "audio/texts_unchanged", "audio/texts_failed"),
}
"""Stats that a crawl of the whole site has no reason for."""


def test_its_tables_are_those_that_the_code_declares() -> None:
    assert rewritten(README) == README, "run python -m docs.tables"
    assert {name for _, name, _ in BLOCK.findall(README)} == set(PRINTED)


def test_a_table_that_differs_is_noticed() -> None:
    wrong = README.replace("| `depth` | 0 |", "| `depth` | 1 |")
    assert wrong != README
    assert rewritten(wrong) == README


def test_it_names_no_setting_that_does_not_exist() -> None:
    named = set(re.findall(r"AUDIO_\w+", README))
    assert {name for name in named if not name.startswith("AUDIO_TEST_")} <= set(NAMES.values())


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
