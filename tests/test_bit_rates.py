"""Of the bit rates of an HLS master playlist one is taken, the best that can be had."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.crawling import REPOSITORY, Run, crawl
from tests.shelf import Shelf

HLS = {"Content-Type": "application/vnd.apple.mpegurl"}
PAGE = b'<audio controls><source src="/master.m3u8" type="application/x-mpegURL"></audio>'
MASTER = "#EXTM3U\n" + "".join(
    f'#EXT-X-STREAM-INF:BANDWIDTH={rate},CODECS="mp4a.40.2"\n/{rate}.m3u8\n' for rate in (32000, 128000, 64000)
)


@contextmanager
def station(*missing: int) -> Iterator[Shelf]:
    shelf = Shelf({"/page": (PAGE, {"Content-Type": "text/html"}), "/master.m3u8": (MASTER.encode(), HLS)})
    for rate in {32000, 64000, 128000} - set(missing):
        parts = f"#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:2.0,\n/{rate}.mp3\n#EXT-X-ENDLIST\n"
        shelf.answers[f"/{rate}.m3u8"] = parts.encode(), HLS
        tone = sorted((REPOSITORY / "tests/site/audio").glob("*.mp3"))[rate // 32000]
        shelf.answers[f"/{rate}.mp3"] = tone.read_bytes(), {"Content-Type": "audio/mpeg"}
    with shelf:
        yield shelf


def statuses(run: Run, shelf: Shelf) -> dict[str, str]:
    return {url.removeprefix(shelf.url): row["status"] for url, row in run.sources.items()}


def test_the_best_bit_rate_is_stored_and_the_others_have_rows(tmp_path: Path) -> None:
    with station() as shelf:
        found = statuses(crawl(tmp_path, f"url={shelf.url}/page"), shelf)
        assert found == {"/128000.m3u8": "stored", "/64000.m3u8": "alternate", "/32000.m3u8": "alternate"}
        every = statuses(crawl(tmp_path, f"url={shelf.url}/page", "alternates=all"), shelf)
        assert sorted(every.values()) == ["stored", "stored", "unchanged"]


def test_the_next_bit_rate_is_stored_where_the_best_cannot_be_had(tmp_path: Path) -> None:
    with station(128000) as shelf:
        found = statuses(crawl(tmp_path, f"url={shelf.url}/page"), shelf)
    assert found == {"/64000.m3u8": "stored", "/32000.m3u8": "alternate"}
