"""What pays is rendered, what does not is tried ever more rarely, and nothing is written off."""

from itertools import pairwise

import pytest

from audiocrawler.rendering.when import FIRST_PAGES, FIRST_PAGES_IF_PROVEN, MAX_GAP, RenderPolicy, pattern_of


def rendered(pages: int, *, pays: set[int] = frozenset()) -> list[int]:  # type: ignore[assignment]
    """Return which pages are rendered if each one's outcome is known before the next comes."""
    learning: RenderPolicy[int] = RenderPolicy()
    opened: list[int] = []
    for page in range(pages):
        waiting = list(learning.offer("pattern", page))
        while waiting:
            opened.append(waiting.pop(0))
            waiting += learning.note("pattern", gained=opened[-1] in pays)
    return opened


def test_pages_without_gain_are_tried_ever_more_rarely() -> None:
    opened = rendered(1000)
    gaps = [later - earlier for earlier, later in pairwise(opened)]
    assert gaps == [1] * (FIRST_PAGES - 1) + [2, 4, 8, 16, 32, 64, 128, 256]


def test_a_pattern_is_never_written_off() -> None:
    opened = rendered(20 * MAX_GAP)
    assert max(later - earlier for earlier, later in pairwise(opened)) == MAX_GAP
    assert opened[-1] > 19 * MAX_GAP


def test_a_late_gain_brings_back_all_that_were_left_out() -> None:
    assert set(rendered(40, pays={33})) >= set(range(34))
    assert len(rendered(40)) < 10


def test_a_pattern_that_pays_is_always_rendered() -> None:
    assert rendered(200, pays=set(range(0, 200, 8))) == list(range(200))


def test_a_pattern_that_pays_no_more_is_tried_more_rarely_again() -> None:
    assert len(rendered(1000, pays={0})) < FIRST_PAGES_IF_PROVEN + 15


def test_pages_that_come_before_the_first_outcome_wait_for_it() -> None:
    learning: RenderPolicy[int] = RenderPolicy()
    assert [page for page in range(20) if list(learning.offer("p", page))] == list(range(FIRST_PAGES))
    assert [list(learning.note("p", gained=False)) for _ in range(FIRST_PAGES)] == [[], [], [], [FIRST_PAGES + 1]]
    assert list(learning.note("p", gained=True)) == [page for page in range(FIRST_PAGES, 20) if page != FIRST_PAGES + 1]


def test_a_page_of_which_nothing_is_heard_does_not_block_its_pattern() -> None:
    learning: RenderPolicy[int] = RenderPolicy()
    for page in range(FIRST_PAGES):
        list(learning.offer("p", page))
        learning.withdraw("p")
    assert list(learning.offer("p", 99)) == [99]


def test_patterns_are_told_apart() -> None:
    learning: RenderPolicy[int] = RenderPolicy()
    for page in range(50):
        for due in list(learning.offer("barren", page)):
            list(learning.note("barren", gained=False))
            assert due <= page
    assert list(learning.offer("other", 1)) == [1]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://a.org/shows/12", "https://a.org/shows/7", True),
        ("https://a.org/news/a-long-title-here", "https://a.org/news/another-title", True),
        ("https://a.org/2024/05/first-post/", "https://a.org/2025/06/second-post/", True),
        ("https://a.org/page?id=1", "https://a.org/page?id=2", True),
        ("https://a.org/about", "https://a.org/shows", False),
        ("https://a.org/shows/12", "https://b.org/shows/12", False),
        ("https://a.org/shows/12", "https://a.org/guests/12", False),
        ("https://a.org/app#/one", "https://a.org/app", False),
    ],
)
def test_urls_of_one_template_share_a_pattern(one: str, other: str, *, same: bool) -> None:
    assert (pattern_of(one) == pattern_of(other)) is same
