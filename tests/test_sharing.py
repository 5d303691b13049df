"""How the processes of xdist divide the tests."""

from tests.crawling import REPOSITORY
from tests.sharing import group_of

ROBOTS = "tests/test_robots.py::test_4xx_allows_everything_and_5xx_nothing"


def test_who_shares_a_crawl_is_run_by_one_process() -> None:
    in_files = (
        "test_docs.py::test_every_stat_of_a_real_crawl_is_documented_and_no_other",
        "test_crawl.py::test_names_are_readable",
    )
    assert {group_of(f"tests/{name}", REPOSITORY) for name in in_files} == {"whole_crawl"}
    beside = "tests/test_robots.py::test_rules_beyond_500_kib_are_ignored"
    assert group_of(f"{ROBOTS}[403 :: Forbidden-False]", REPOSITORY) == group_of(beside, REPOSITORY) != beside


def test_who_shares_none_is_run_by_any() -> None:
    for name in (
        "tests/test_robots.py::test_a_robots_txt_without_end_is_not_transferred",
        "tests/test_exports.py::x[a::b]",
    ):
        assert group_of(name, REPOSITORY) == name
