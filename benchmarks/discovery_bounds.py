"""CPU time of discovery for documents that are large, dense or made to be slow."""

import json
import time

from scrapy.http import TextResponse

from audiocrawler.discovery import choose, find

ITEM = (
    "<item><title>Episode {0}</title><guid>{0}</guid><pubDate>Mon, 06 May 2024 07:08:09 +0200</pubDate>"
    "<itunes:duration>1:02:03</itunes:duration><description>Words about it</description>"
    "<content:encoded><![CDATA[<p>Words</p>]]>"
    '</content:encoded><enclosure url="https://cdn.example/{0}.mp3" length="12345" type="audio/mpeg"/></item>'
)
PARAGRAPH = (
    '<div class="text"><h2>Title</h2><p>Some text with <a href="/{0}.html">a link</a> and <b>bold</b> words.</p></div>'
)
PLAYER = '<audio controls><source src="/{0}.mp3"></audio>'
QUOTES, BACKSLASHES = '"a/' * 600_000, "\\" * 2_000_000
ENTITIES = "".join(f'<!ENTITY e{number} "{f"&e{number - 1};" * 10}">' for number in range(1, 20))


def documents() -> dict[str, tuple[str, str]]:
    """Return each document's text and type by what it is."""
    return {
        "feed of 5,000 items": (f"<rss><channel>{_many(ITEM, 5000)}</channel></rss>", "application/rss+xml"),
        "page of 2 MB": (_many(PARAGRAPH, 17_000), "text/html"),
        "page of 2 MB with 1,000 players": (_many(PARAGRAPH, 16_000) + _many(PLAYER, 1000), "text/html"),
        "page of 50 MB": (_many(PARAGRAPH, 420_000), "text/html"),
        "100,000 links to pages": (_many('<a href="/{0}.html">x</a>', 100_000), "text/html"),
        "100,000 links to audio": (_many('<a href="/{0}.mp3">x</a>', 100_000), "text/html"),
        "sitemap of 50,000 pages": (
            f"<urlset>{_many('<url><loc>https://h.example/{0}</loc></url>', 50_000)}",
            "text/xml",
        ),
        "JSON of 20,000 files": (
            json.dumps([{"mp3": f"/{number}.mp3"} for number in range(20_000)]),
            "application/json",
        ),
        "JSON 100,000 deep": ('[{"a":' * 100_000, "application/json"),
        "100,000 boxes that nobody closed": (_many('<div><a href="/{0}.html">x</a>', 100_000), "text/html"),
        "elements 400,000 deep": ("<div>" * 400_000, "text/html"),
        "players within players": ("<audio>" * 20_000 + '<source src="a.mp3">' * 20_000, "text/html"),
        "items within items": ("<rss>" + "<item>" * 250 + '<enclosure url="/a.mp3"/>' * 5000, "application/rss+xml"),
        "entities within entities": (
            f"<!DOCTYPE rss [<!ENTITY e0 'x'>{ENTITIES}]><rss><item>&e19;",
            "application/rss+xml",
        ),
        "a script of brackets": (f"<script>x = '.mp3';{'=[[{' * 400_000}</script>", "text/html"),
        "a script of quotes": (f"<script>{QUOTES}.mp3</script>", "text/html"),
        "a script of backslashes": (f"<script>'.mp3{BACKSLASHES}</script>", "text/html"),
    }


def _many(template: str, count: int) -> str:
    return "".join(template.replace("{0}", str(number)) for number in range(count))


def main() -> None:
    """Print a line per document."""
    print(f"{'':34}{'MB':>6}{'candidates':>12}{'CPU s':>8}")
    for name, (text, content_type) in documents().items():
        body = text.encode()
        response = TextResponse("https://site.example/page", body=body, headers={"Content-Type": content_type})
        began = time.process_time()
        candidates = sum(1 for _ in choose(find(response)))
        print(f"{name:34}{len(body) / 1e6:6.1f}{candidates:12}{time.process_time() - began:8.2f}")


if __name__ == "__main__":
    main()
