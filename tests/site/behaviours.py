"""The paths of the site that are more than a file: redirects, failures, impostors, a radio that never ends."""

import gzip
import hashlib
import hmac
import itertools
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

from tests.site.answers import CONTENT_TYPES, Answer, Visit, file, html, whole
from tests.site.scripted import scripted
from tests.site.tones import tone_path, tone_wav

AUDIO = Path(__file__).parent / "audio"
_EXPIRES = "4102444800"  # the year 2100
_KEY = b"the tide tables"
_CHUNKS = 30

Behaviour = Callable[[Visit], Answer]


def signed_path(path: str) -> str:
    """Return ``path`` with the query that opens it."""
    signature = hmac.new(_KEY, f"{path}?Expires={_EXPIRES}".encode(), hashlib.sha256).hexdigest()
    return f"{path}?Expires={_EXPIRES}&Signature={signature}"


def redirect(status: int, target: str) -> Behaviour:
    """Send the client on to ``target``."""
    return lambda _: Answer(status, CONTENT_TYPES[".html"], headers={"Location": target})


def missing(_: Visit) -> Answer:
    """404, with a page."""
    return html(404, "This tape is not in the archive.")


def withdrawn(_: Visit) -> Answer:
    """410, with a page."""
    return html(410, "This tape was withdrawn by its donor.")


def flaky(visit: Visit) -> Answer:
    """503 with Retry-After at the first visit, the file from then on."""
    if visit.turn > 1:
        return file(AUDIO / "flaky.mp3", visit)
    answer = html(503, "The tape is being rewound.")
    answer.headers["Retry-After"] = "1"
    return answer


def slow(visit: Visit) -> Answer:
    """The file in small pieces spread over ``slow_s`` seconds."""
    answer = whole(AUDIO / "slow.mp3")
    assert isinstance(answer.body, bytes)
    answer.declared_bytes = len(answer.body)
    answer.body = _dribble(answer.body, visit)
    return answer


def _dribble(body: bytes, visit: Visit) -> Iterator[bytes]:
    size = -(-len(body) // _CHUNKS)
    for start in range(0, len(body), size):
        visit.closing.wait(visit.options.slow_s / _CHUNKS)
        yield body[start : start + size]


def cut_resumable(visit: Visit) -> Answer:
    """Half of what Content-Length promises; a Range with the right If-Range gets the rest."""
    answer = file(AUDIO / "cassette.mp3", visit)
    return cut_short(answer) if answer.status == 200 else answer


def cut_for_good(_: Visit) -> Answer:
    """Half of what Content-Length promises, at every visit, with no ETag and no ranges."""
    return cut_short(whole(AUDIO / "wax-cylinder.mp3"))


def cut_short(answer: Answer) -> Answer:
    """Return ``answer`` with its length as promised and half of its body."""
    assert isinstance(answer.body, bytes)
    answer.declared_bytes = len(answer.body)
    answer.body = answer.body[: len(answer.body) // 2]
    return answer


def page_named_mp3(_: Visit) -> Answer:
    """An HTML page, honest about it in everything but its name."""
    return html(200, "Please accept our cookies to listen.")


def page_sent_as_audio(visit: Visit) -> Answer:
    """An HTML page that claims to be audio/mpeg, filled up to ``login_page_bytes``."""
    answer = html(200, "Please log in to listen.")
    assert isinstance(answer.body, bytes)
    answer.body = answer.body.ljust(visit.options.login_page_bytes)
    answer.content_type = CONTENT_TYPES[".mp3"]
    return answer


def picture_named_mp3(_: Visit) -> Answer:
    """A GIF of one pixel."""
    pixel = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c000000000100010000020144003b")
    return Answer(200, "image/gif", pixel)


def empty(_: Visit) -> Answer:
    """No bytes at all."""
    return Answer(200, CONTENT_TYPES[".mp3"])


def signed(visit: Visit) -> Answer:
    """The file if the signature is right, 403 otherwise."""
    if signed_path(visit.path) != f"{visit.path}?{urlencode(visit.query)}":
        return html(403, "Request has expired.")
    return file(AUDIO / "signed.mp3", visit)


def named_by_header(visit: Visit) -> Answer:
    """The file under a readable name in Content-Disposition (RFC 6266, RFC 8187)."""
    answer = file(AUDIO / "download.mp3", visit)
    readable = "filename*=UTF-8''Nachtigall%20im%20M%C3%A4rz.mp3"
    answer.headers["Content-Disposition"] = f'attachment; filename="nightingale.mp3"; {readable}'
    return answer


def gzipped(_: Visit) -> Answer:
    """The file with Content-Encoding gzip, whatever Accept-Encoding asks for."""
    answer = whole(AUDIO / "packed.wav")
    assert isinstance(answer.body, bytes)
    answer.body = gzip.compress(answer.body, mtime=0)
    answer.headers = {"Content-Encoding": "gzip"}
    return answer


def opted_out(visit: Visit) -> Answer:
    """The file, with the wish that machines do not learn from it."""
    answer = file(AUDIO / "withheld.mp3", visit)
    answer.headers["X-Robots-Tag"] = "noai"
    return answer


def radio(visit: Visit) -> Answer:
    """MPEG audio without length or end (an end comes after ``radio_s`` seconds), as Icecast sends it."""
    answer = radio_relay(visit)
    answer.headers = {"icy-name": "Radio Driftwood", "icy-br": "24", "Cache-Control": "no-cache"}
    return answer


def radio_relay(visit: Visit) -> Answer:
    """The same without the headers that give a radio away."""
    return Answer(200, CONTENT_TYPES[".mp3"], _broadcast(visit))


def _broadcast(visit: Visit) -> Iterator[bytes]:
    frames = (AUDIO / "station-id.mp3").read_bytes()
    for _ in itertools.takewhile(lambda sent_s: sent_s < visit.options.radio_s, itertools.count(step=0.1)):
        yield frames
        if visit.closing.wait(0.1):
            return


def many_page(visit: Visit) -> Answer:
    """A page with ``many_files`` links."""
    links = "".join(f'<li><a href="{tone_path(n)}">Fork {n}</a>\n' for n in range(visit.options.many_files))
    page = (
        f'<!doctype html><meta charset="utf-8"><title>Tuning forks</title>\n<h1>Tuning forks</h1>\n<ul>\n{links}</ul>\n'
    )
    return Answer(200, CONTENT_TYPES[".html"], page.encode())


def many_file(visit: Visit) -> Answer:
    """One of those files, after ``many_delay_s`` seconds; not until the site closes if only others are answered."""
    match = re.fullmatch(r"/many/tone-(\d+)\.wav", visit.path)
    if not match or int(match[1]) >= visit.options.many_files:
        return missing(visit)
    answered = visit.options.many_answered
    visit.closing.wait(None if answered is not None and int(match[1]) >= answered else visit.options.many_delay_s)
    return Answer(200, CONTENT_TYPES[".wav"], tone_wav(int(match[1])))


def stored(name: str) -> Behaviour:
    """Serve a committed file under another path."""
    return lambda visit: file(AUDIO / name, visit)


def playlist(*lines: str) -> Behaviour:
    """An HLS playlist of these lines."""
    text = "\n".join(("#EXTM3U", "#EXT-X-VERSION:4", "#EXT-X-TARGETDURATION:10", *lines, ""))
    return lambda _: Answer(200, "application/vnd.apple.mpegurl", text.encode())


def segment(number: int) -> Behaviour:
    """A third of surf.mp3."""
    whole_file = (AUDIO / "surf.mp3").read_bytes()
    size = -(-len(whole_file) // 3)
    return lambda _: Answer(200, CONTENT_TYPES[".mp3"], whole_file[number * size : (number + 1) * size])


SEGMENTS = tuple(line for number in range(3) for line in ("#EXTINF:2.0,", f"segment-{number}.mp3"))
HLS: dict[str, Behaviour] = {
    "/hls/master.m3u8": playlist(
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="Surf",LANGUAGE="en",URI="vod.m3u8"',
        '#EXT-X-STREAM-INF:BANDWIDTH=900000,CODECS="avc1.4d401f,mp4a.40.2",RESOLUTION=640x360,AUDIO="a"',
        "video.m3u8",
    ),
    "/hls/vod.m3u8": playlist(*SEGMENTS, "#EXT-X-ENDLIST"),
    "/hls/broken.m3u8": playlist(*SEGMENTS[:2], "#EXTINF:2.0,", "missing.mp3", "#EXT-X-ENDLIST"),
    "/hls/live.m3u8": playlist(*SEGMENTS),
    "/hls/encrypted.m3u8": playlist('#EXT-X-KEY:METHOD=AES-128,URI="key"', *SEGMENTS, "#EXT-X-ENDLIST"),
    "/hls/ranges.m3u8": playlist(
        *("#EXTINF:2.0,", "#EXT-X-BYTERANGE:5000@0", "/audio/surf.mp3"),
        *("#EXTINF:2.0,", f"#EXT-X-BYTERANGE:{(AUDIO / 'surf.mp3').stat().st_size - 5000}@5000", "/audio/surf.mp3"),
        "#EXT-X-ENDLIST",
    ),
    **{f"/hls/segment-{number}.mp3": segment(number) for number in range(3)},
}

BEHAVIOURS: dict[str, Behaviour] = {
    **HLS,
    "/audio/Möwen am Kai.ogg": stored("gulls.ogg"),
    "/audio/café.mp3": stored("cafe.mp3"),
    "/audio/STATION-ID.MP3": stored("station-id.mp3"),
    "/copies/rain-backup.ogg": stored("rain.ogg"),
    "/private/vault.mp3": stored("vault.mp3"),
    "/moved/once.mp3": redirect(302, "/audio/hop-one.mp3"),
    "/moved/twice.mp3": redirect(301, "/moved/again.mp3"),
    "/moved/again.mp3": redirect(302, "/audio/hop-two.mp3"),
    "/trouble/lost.mp3": missing,
    "/trouble/withdrawn.mp3": withdrawn,
    "/trouble/flaky.mp3": flaky,
    "/trouble/slow.mp3": slow,
    "/trouble/cassette.mp3": cut_resumable,
    "/trouble/wax-cylinder.mp3": cut_for_good,
    "/impostors/page.mp3": page_named_mp3,
    "/impostors/login.mp3": page_sent_as_audio,
    "/impostors/picture.mp3": picture_named_mp3,
    "/impostors/empty.mp3": empty,
    "/signed/session.mp3": signed,
    "/download": named_by_header,
    "/downloads/packed.wav": gzipped,
    "/withheld/lullaby.mp3": opted_out,
    "/radio/live": radio,
    "/radio/relay.mp3": radio_relay,
    "/many/": many_page,
}


def behaviour_of(path: str) -> Behaviour | None:
    """Return the function that answers ``path``, or None if it is an ordinary file."""
    if path.startswith("/scripted/"):
        return scripted(path)
    return many_file if path.startswith("/many/tone-") else BEHAVIOURS.get(path)
