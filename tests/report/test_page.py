"""The report in a real Chromium, opened from the disk: what it shows, filters, sorts and plays, and never does."""

import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from audiocrawler.warehouse import Query, open_warehouse
from tests.crawling import Run, crawl
from tests.report.pages import HOSTILE, add, files_shown, hostile_rows, opened, rows, titles
from tests.site.server import Site

PAGES = ("music.html", "trouble.html", "withheld.html", "copies.html", "weather.html")
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
Act = Callable[[Page], None]


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a crawl of some pages, which has written its report at its end."""
    with Site() as site:
        urls = " ".join(f"{site.url}/{page}" for page in PAGES)
        folder = tmp_path_factory.mktemp("collected")
        return crawl(folder, f"url={urls}", settings={"AUDIO_REPORT": "data/report.html"})


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a report of many files, among them hostile ones."""
    folder = tmp_path_factory.mktemp("grown")
    (folder / "data").mkdir()
    add(folder, [*rows(300), *hostile_rows()])
    assert crawl(folder, command=("report",)).code == 0
    return folder


@pytest.fixture
def page(browser: Browser, grown: Path) -> Iterator[Page]:
    with opened(browser, grown / "data/report.html") as page:
        yield page


def test_the_crawl_has_said_where_its_page_is(collected: Run) -> None:
    assert "  report      data/report.html\n" in collected.stdout
    assert (collected.folder / "data/report.html").is_file()


def test_it_shows_every_file_and_what_became_of_every_url(browser: Browser, collected: Run) -> None:
    with opened(browser, collected.folder / "data/report.html") as page:
        assert files_shown(page) == len(collected.audio)
        text = page.locator("body").inner_text()
        assert f"What became of {len(collected.sources)} URLs" in text
        failed = {
            url: row for url, row in collected.sources.items() if row["status"] in {"failed", "not_audio", "gone"}
        }
        assert failed
        for details in page.locator("details").all():
            details.locator("summary").click()
        for url, row in failed.items():
            expect(page.get_by_role("link", name=url, exact=True)).to_be_visible()
            expect(page.get_by_text(row["reason"], exact=True).first).to_be_visible()
        (duplicate,) = [row for row in collected.sources.values() if row["status"] == "duplicate"]
        expect(page.get_by_text(duplicate["reason"])).to_be_visible()
        for heading in ("Opt-outs and robots.txt", "Duplicates", "Licences", "What ran"):
            expect(page.get_by_role("heading", name=heading)).to_be_visible()


def test_a_file_on_disk_plays_and_a_click_on_its_waveform_seeks(browser: Browser, collected: Run) -> None:
    with opened(browser, collected.folder / "data/report.html") as page:
        page.locator("#search").fill("mp3")
        page.locator(".row .play button").first.click()
        audio = page.locator("#audio")
        page.wait_for_selector("#toggle.pause")
        assert audio.evaluate("audio => [audio.paused, audio.error]") == [False, None]
        length = audio.evaluate("audio => audio.duration")
        assert length > 0.5
        page.locator(".row canvas").first.click(position={"x": 66, "y": 15})
        at_least = length * 0.4
        assert audio.evaluate("audio => audio.currentTime") >= at_least
        address = page.locator(".row .title").first.get_attribute("title") or ""
        expect(page.locator("#now-links").get_by_role("link", name="source")).to_have_attribute("href", address)
        page.get_by_role("button", name="Close the player").click()
        expect(page.locator("#player")).to_be_hidden()


def test_the_keyboard_moves_plays_searches_and_clears(browser: Browser, collected: Run) -> None:
    with opened(browser, collected.folder / "data/report.html") as page:
        page.keyboard.press("/")
        page.keyboard.type("mp3")
        page.keyboard.press("Enter")
        expect(page.get_by_role("grid")).to_be_focused()
        assert files_shown(page) < len(collected.audio)
        page.keyboard.press("ArrowDown")
        second = titles(page)[1]
        page.keyboard.press("Space")
        page.wait_for_selector("#toggle.pause")
        expect(page.locator("#now-title")).to_have_text(second)
        page.keyboard.press("Space")
        page.wait_for_selector("#toggle:not(.pause)")
        page.keyboard.press("Escape")
        assert files_shown(page) == len(collected.audio)


def brush(number: int, start: float, end: float) -> Act:
    def act(page: Page) -> None:
        box = page.locator(".plot").nth(number).bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] * start, box["y"] + 40)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * end, box["y"] + 40, steps=3)
        page.mouse.up()

    return act


def choose(chart: str, *places: int) -> Act:
    def act(page: Page) -> None:
        for place in places:
            page.locator(f".values.{chart} li button").nth(place).click()

    return act


def search(text: str) -> Act:
    return lambda page: page.locator("#search").fill(text)


def slide(label: str, key: str) -> Act:
    return lambda page: page.get_by_label(label).press(key)


@pytest.mark.parametrize(
    "acts",
    [
        (brush(0, 0.3, 0.7),),
        (brush(0, 0.0, 0.4), brush(1, 0.2, 0.9)),
        (brush(2, 0.5, 1.0), brush(3, 0.1, 0.6), brush(4, 0.0, 0.3)),
        (brush(1, 0.5, 0.5),),
        (lambda page: page.get_by_role("button", name="without a value").first.click(),),
        (slide("Duration, from", "ArrowRight"), slide("Loudness, LUFS, to", "ArrowLeft")),
        (choose("license", 0, 1, 2, 3, 4),),
        (choose("license", 0), choose("language", 0, 1), choose("sample_rate_hz", 1)),
        (choose("language", 1), choose("codec", 0), brush(0, 0.4, 0.6)),
        (search("BELL take"),),
        (search("100%_sure"), choose("host", 0)),
        (search("it's"), choose("found_by", 0)),
        (search("ÉTUDE"),),
    ],
)
def test_its_command_selects_the_files_that_it_shows(page: Page, grown: Path, acts: tuple[Act, ...]) -> None:
    everything = files_shown(page)
    for act in acts:
        act(page)
    shown = files_shown(page)
    command = page.locator("#command code").inner_text()
    words = words_in_a_shell(command, grown)
    assert words[:4] == ["export", "--format", "hf", "--where"]
    warehouse = open_warehouse(f"sqlite:{grown}/data/audio.db")
    selected = list(warehouse.select(Query("files", words[4], ("title",))))
    warehouse.close()
    assert len(selected) == shown
    assert shown <= everything
    assert f"{shown}" in page.locator("#found").inner_text()
    assert not (grown / "owned").exists()


def words_in_a_shell(command: str, folder: Path) -> list[str]:
    """Return what the command would be given by a shell."""
    script = f"scrapy() {{ printf '%s\\0' \"$@\"; }}\n{command}"
    done = subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.split("\0")[:-1]


def test_the_command_is_copied(page: Page) -> None:
    choose("codec", 0)(page)
    page.get_by_role("button", name="Copy").click()
    page.locator("#search").focus()
    page.keyboard.press("Control+V")
    copied = shlex.split(page.locator("#search").input_value())
    assert copied in (["scrapy", "export", "--format", "hf", "--where", f"codec = '{name}'"] for name in ("mp3", "aac"))


def test_a_filter_of_one_chart_is_seen_in_all_others_and_taken_back_by_its_chip(page: Page) -> None:
    before = page.locator(".values.codec .figure").all_inner_texts()
    choose("license", 0)(page)
    after = page.locator(".values.codec .figure").all_inner_texts()
    assert sum(map(int, after)) == files_shown(page) < sum(map(int, before))
    assert page.locator(".values.license button").first.get_attribute("aria-pressed") == "true"
    page.locator(".chip").click()
    assert page.locator(".values.codec .figure").all_inner_texts() == before


def test_a_heading_sorts_and_a_second_click_turns_it_round(page: Page) -> None:
    heading = page.get_by_role("columnheader", name="Title")
    heading.get_by_role("button").click()
    expect(heading).to_have_attribute("aria-sort", "ascending")
    first = titles(page)[0]
    heading.get_by_role("button").click()
    expect(heading).to_have_attribute("aria-sort", "descending")
    assert titles(page)[0] != first
    page.get_by_role("columnheader", name="Duration").get_by_role("button").click()
    assert titles(page)[0] == HOSTILE  # the longest


def test_only_what_can_be_seen_of_the_table_is_in_the_page_and_its_end_is_reached(page: Page) -> None:
    assert page.locator(".row").count() < 40
    page.get_by_role("grid").focus()
    page.keyboard.press("End")
    expect(page.locator(f'.row[aria-rowindex="{files_shown(page) + 1}"]')).to_be_visible()


def test_hostile_titles_and_urls_are_text(page: Page, grown: Path) -> None:
    page.get_by_text(HOSTILE).first.wait_for()
    page.locator(".row .name", has_text="</script>").first.click()
    for summary in page.locator("summary").all():
        summary.click()
    page.wait_for_timeout(200)
    assert page.title() != "owned"
    assert page.locator("img").count() == 0
    links = page.locator("a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    assert {link.partition(":")[0] for link in links if ":" in link} <= {"https", "http"}
    assert "script-src 'sha256-" in (grown / "data/report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_need_not_scroll_sideways_in_either_scheme(browser: Browser, grown: Path, scheme: str) -> None:
    with opened(browser, grown / "data/report.html", color_scheme=scheme, **PHONE) as page:
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (int(colour.removeprefix("rgb(").partition(",")[0]) > 128) == (scheme == "light")
        box = page.locator(".row").first.bounding_box()
        assert box is not None
        assert box["height"] == 84


def test_without_scripts_figures_and_failures_are_there(collected: Run) -> None:
    with_scripts = collected.folder / "data/report.html"
    text = with_scripts.read_text(encoding="utf-8")
    assert f"What became of {len(collected.sources)} URLs" in text
    assert "Charts, table and player need JavaScript" in text


def test_of_many_files_a_sample_is_listed_and_the_charts_count_all(browser: Browser, grown: Path) -> None:
    done = crawl(grown, command=("report", "--rows", "50", "--out", "data/sample.html", "--json"))
    assert (done.code, done.stderr) == (0, "")
    assert '"files": 301' in done.stdout
    assert '"rows": 50' in done.stdout
    with opened(browser, grown / "data/sample.html") as page:
        assert files_shown(page) == 50
        expect(page.get_by_text("50 of 301 files are listed")).to_be_visible()
        assert sum(map(int, page.locator(".values.codec .figure").all_inner_texts())) == 301
        choose("codec", 0)(page)
        estimated = sum(map(int, page.locator(".values.sample_rate_hz .figure").all_inner_texts()))
        assert abs(estimated - 301 * files_shown(page) / 50) <= 2
