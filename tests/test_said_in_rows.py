"""What a feed says of an episode reaches the rows, secrets masked, and the exports."""

import csv
import json
from pathlib import Path

from tests.crawling import REPOSITORY, crawl
from tests.shelf import Shelf

CREEK = (REPOSITORY / "tests/site/audio/creek.wav").read_bytes()
FEED = """<rss version="2.0" xmlns:podcast="https://podcastindex.org/namespace/1.0"
 xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"><channel><title>The Ferry</title><language>nl</language>
<itunes:author>Ferry House</itunes:author><copyright>CC BY 4.0</copyright><item><title>One</title>
<enclosure url="/a.wav" type="audio/wav"/><itunes:episode>7</itunes:episode><description>On tides</description>
<podcast:transcript url="/t.vtt?token=s3cret-s3cret" type="text/vtt" language="nl"/>
<podcast:person role="guest">Gwen</podcast:person></item></channel></rss>"""


def test_what_a_feed_says_is_in_the_rows_and_in_exports(tmp_path: Path) -> None:
    answers = {"/feed": (FEED.encode(), {"Content-Type": "text/xml"}), "/a.wav": (CREEK, {"Content-Type": "audio/wav"})}
    with Shelf(dict(answers)) as shelf:
        run = crawl(tmp_path, f"url={shelf.url}/feed", command=("crawl", "audio", "-O", "out.csv"))
    (source,) = run.sources.values()
    (audio,) = run.audio
    assert (audio["language"], source["language"], source["show_title"]) == ("nl", "nl", "The Ferry")
    assert (source["episode"], source["season"], source["description"]) == (7, None, "On tides")
    assert (source["artist"], source["attribution"]) == ("Ferry House", "Ferry House")
    assert json.loads(source["people"]) == [{"group": "cast", "name": "Gwen", "role": "guest"}]
    (transcript,) = json.loads(source["transcripts"])
    assert (transcript["type"], transcript["language"]) == ("text/vtt", "nl")
    assert transcript["url"] == source["transcript_url"]
    assert "s3cret" not in json.dumps(source)
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as exported:
        (line,) = csv.DictReader(exported)
    assert line["source_people"] == "group=cast; name=Gwen; role=guest"
