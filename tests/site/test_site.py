"""Each special path misbehaves as it promises, and every request is recorded."""

import gzip
import http.client
import re
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.site.answers import Options
from tests.site.behaviours import AUDIO
from tests.site.fetch import digest, fetch, follow
from tests.site.labels import LABELS, sha256_of
from tests.site.server import Site

REPOSITORY = Path(__file__).parents[2]


def test_a_redirect_leads_to_audio(site: Site):
    once = fetch(f"{site.url}/moved/once.mp3")
    assert (once.status, once.headers["Location"]) == (302, "/audio/hop-one.mp3")
    assert digest(follow(f"{site.url}/moved/once.mp3").body) == sha256_of("hop-one.mp3")


def test_a_chain_of_two_redirects_leads_to_audio(site: Site):
    assert digest(follow(f"{site.url}/moved/twice.mp3").body) == sha256_of("hop-two.mp3")
    assert [request.path for request in site.requests] == ["/moved/twice.mp3", "/moved/again.mp3", "/audio/hop-two.mp3"]


@pytest.mark.parametrize(("path", "status"), [("/trouble/lost.mp3", 404), ("/trouble/withdrawn.mp3", 410)])
def test_a_lost_tape_stays_lost(site: Site, path: str, status: int):
    assert [fetch(site.url + path).status for _ in range(2)] == [status, status]


def test_a_flaky_tape_comes_at_the_second_visit(site: Site):
    first, second = (fetch(f"{site.url}/trouble/flaky.mp3") for _ in range(2))
    assert (first.status, first.headers["Retry-After"]) == (503, "1")
    assert (second.status, digest(second.body)) == (200, sha256_of("flaky.mp3"))


def test_every_run_has_its_own_first_visit():
    for _ in range(2):
        with Site() as site:
            assert fetch(f"{site.url}/trouble/flaky.mp3").status == 503


def test_the_slow_tape_takes_its_time_and_comes_whole(site: Site):
    started_s = time.monotonic()
    fetched = fetch(f"{site.url}/trouble/slow.mp3")
    assert time.monotonic() - started_s > 0.5
    assert digest(fetched.body) == sha256_of("slow.mp3")


def test_the_cassette_breaks_off_and_can_be_resumed(site: Site):
    url = f"{site.url}/trouble/cassette.mp3"
    cut = fetch(url)
    assert not cut.is_complete
    assert int(cut.headers["Content-Length"]) > len(cut.body)
    rest = fetch(url, Range=f"bytes={len(cut.body)}-", If_Range=cut.headers["ETag"])
    assert (rest.status, rest.is_complete) == (206, True)
    assert digest(cut.body + rest.body) == sha256_of("cassette.mp3")


def test_a_stale_if_range_starts_the_cassette_anew(site: Site):
    fetched = fetch(f"{site.url}/trouble/cassette.mp3", Range="bytes=100-", If_Range='"another"')
    assert (fetched.status, fetched.is_complete) == (200, False)


def test_the_wax_cylinder_never_comes_whole(site: Site):
    for _ in range(2):
        cut = fetch(f"{site.url}/trouble/wax-cylinder.mp3", Range="bytes=100-")
        assert (cut.status, cut.is_complete, cut.headers["ETag"]) == (200, False, None)


def test_impostors_are_what_they_are(site: Site):
    page, login, picture, empty = (
        fetch(f"{site.url}/impostors/{name}.mp3") for name in ("page", "login", "picture", "empty")
    )
    assert page.headers["Content-Type"] == "text/html"
    assert login.headers["Content-Type"] == "audio/mpeg"
    assert login.body.startswith(b"<!doctype html>")
    assert picture.body.startswith(b"GIF89a")
    assert (empty.status, empty.body, empty.headers["Content-Length"]) == (200, b"", "0")


def test_a_signed_url_opens_only_with_its_signature(site: Site):
    (good,) = (label.path for label in LABELS if label.page == "/signed.html")
    stale = "/signed/session.mp3?Expires=1000000000&Signature=stale"
    assert digest(fetch(site.url + good).body) == sha256_of("signed.mp3")
    refused = [good[:-1] + "x", good.partition("?")[0], stale, good.replace("Expires=4", "Expires=5")]
    assert [fetch(site.url + path).status for path in refused] == [403] * 4


def test_a_download_has_a_readable_name(site: Site):
    disposition = fetch(f"{site.url}/download?id=42").headers["Content-Disposition"]
    assert disposition.endswith("filename*=UTF-8''Nachtigall%20im%20M%C3%A4rz.mp3")


def test_gzip_comes_although_identity_was_asked(site: Site):
    fetched = fetch(f"{site.url}/downloads/packed.wav", Accept_Encoding="identity")
    assert fetched.headers["Content-Encoding"] == "gzip"
    assert digest(gzip.decompress(fetched.body)) == sha256_of("packed.wav")


def test_the_withheld_tape_says_so(site: Site):
    assert fetch(f"{site.url}/withheld/lullaby.mp3").headers["X-Robots-Tag"] == "noai"


def test_the_radio_has_no_length_and_ends_for_safety(site: Site):
    heard = fetch(f"{site.url}/radio/live")
    assert (heard.headers["Content-Length"], heard.headers["icy-name"]) == (None, "Radio Driftwood")
    assert len(heard.body) >= 4 * len((AUDIO / "station-id.mp3").read_bytes())


def test_the_radio_can_be_left_early():
    with Site() as site:
        assert len(fetch(f"{site.url}/radio/relay.mp3", limit_bytes=9_000).body) == 9_000


def test_closing_the_site_ends_what_is_under_way():
    with Site(Options(radio_s=60)) as site:
        connection = http.client.HTTPConnection(urlsplit(site.url).netloc, timeout=10)
        connection.request("GET", "/radio/live")
        radio = connection.getresponse()
        assert len(radio.read(1_000)) == 1_000
    closed_s = time.monotonic()
    radio.read()
    assert time.monotonic() - closed_s < 30
    with pytest.raises(ConnectionRefusedError):
        fetch(site.url)


def test_many_files_are_all_distinct(site: Site):
    links = re.findall(r'href="(/many/[^"]+)"', fetch(f"{site.url}/many/").body.decode())
    bodies = {digest(fetch(site.url + link).body) for link in links}
    assert len(links) == len(bodies) == 80
    assert fetch(f"{site.url}/many/tone-80.wav").status == 404


def test_many_files_can_be_fewer_and_slower():
    with Site(Options(many_files=3, many_delay_s=0.3)) as site:
        started_s = time.monotonic()
        assert [fetch(f"{site.url}/many/tone-{n:02}.wav").status for n in range(4)] == [200, 200, 200, 404]
        assert time.monotonic() - started_s >= 0.9


def test_an_unchanged_file_is_not_sent_again(site: Site):
    etag = fetch(f"{site.url}/audio/surf.mp3").headers["ETag"]
    again = fetch(f"{site.url}/audio/surf.mp3", If_None_Match=etag)
    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize(
    ("asked", "status", "length"),
    [("bytes=0-511", 206, 512), ("bytes=24730-", 206, 2), ("bytes=24732-", 416, 0), ("lines=1-2", 200, 24_732)],
)
def test_ranges_are_honoured(site: Site, asked: str, status: int, length: int):
    fetched = fetch(f"{site.url}/audio/surf.mp3", Range=asked)
    assert (fetched.status, len(fetched.body)) == (status, length)


def test_a_connection_serves_several_requests_and_head(site: Site):
    connection = http.client.HTTPConnection(urlsplit(site.url).netloc, timeout=10)
    connection.request("HEAD", "/audio/surf.mp3")
    head = connection.getresponse()
    assert (head.headers["Content-Length"], head.read()) == ("24732", b"")
    connection.request("GET", "/about.html")
    assert connection.getresponse().status == 200
    connection.close()


def test_robots_rules_differ_between_the_hosts(site: Site):
    assert b"Disallow: /private/" in fetch(f"{site.url}/robots.txt").body
    assert b"Crawl-delay: 1" in fetch(f"{site.second_url}/robots.txt").body


def test_paths_can_be_missing_and_robots_rules_broken():
    with Site(Options(missing=("/audio/surf.mp3",), robots_status=500)) as site:
        paths = ("/audio/surf.mp3", "/robots.txt", "/audio/rain.ogg")
        assert [fetch(site.url + path).status for path in paths] == [404, 500, 200]
        assert fetch(f"{site.second_url}/robots.txt").status == 500


def test_requests_are_recorded_in_order_with_their_headers(site: Site):
    fetch(f"{site.url}/download?id=42", User_Agent="tester")
    fetch(f"{site.second_url}/robots.txt")
    first, second = site.requests
    assert (first.method, first.path, first.headers["user-agent"]) == ("GET", "/download?id=42", "tester")
    assert first.at_s <= second.at_s
    counts = [site.count("/download?id=42"), site.count("/robots.txt"), site.count(f"{site.second_url}/robots.txt")]
    assert counts == [1, 0, 1]


def test_nothing_outside_the_site_is_served(site: Site):
    for path in ("/audio/../server.py", "/../server.py", "/%2e%2e/server.py", "/../second/loans.html"):
        assert fetch(site.url + path).status == 404


def test_the_command_runs_against_the_site_and_gives_its_exit_code():
    script = "import sys, urllib.request as u; print(u.urlopen(sys.argv[1] + '/').status); sys.exit(7)"
    command = [sys.executable, "-m", "tests.site", "--", sys.executable, "-c", script, "{url}"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stdout) == (7, "200\n")
