"""What the pages under /scripted/ ask for: sounds and lists that only scripts name, and answers that never come."""

import json
import re
from collections.abc import Callable

from tests.site.answers import CONTENT_TYPES, Answer, Visit, html
from tests.site.tones import tone_wav

SOUNDS = (
    "fetched",
    "answered",
    "clicked",
    "shadow",
    "framed",
    "lazy",
    "first",
    "second",
    "beside-link",
    "beside-one",
    "beside-two",
    "rude",
    "rude-download",
    "reloading",
    "forbidden",
    "members-only",
    "elsewhere",
    "inward",
)
MEMBER = "k7qzv93wx"
"""The cookie that /scripted/members.html sets."""
_FIRST_TONE = 500  # above those of /many/
_TAPES = {name: {"title": f"The {name} tape", "src": f"/scripted/audio/{name}.wav"} for name in ("first", "second")}
_LISTS = {
    "fetched": {"title": "A fetched tape", "url": "/scripted/audio/fetched.wav"},
    "answered": [{"title": "An answered tape", "file": "/scripted/audio/answered.wav"}],
    "beside": {"tracks": [{"file": f"/scripted/audio/beside-{name}.wav"} for name in ("one", "two")]},
}


def sound(name: str) -> bytes:
    """Return the WAV file of this name."""
    return tone_wav(_FIRST_TONE + SOUNDS.index(name))


def scripted(path: str) -> Callable[[Visit], Answer] | None:
    """Return the function that answers a path below /scripted/, None for its pages."""
    if match := re.fullmatch(r"/scripted/audio/([\w-]+)\.wav", path):
        return _sound(match[1])
    if match := re.fullmatch(r"/scripted/data/(\w+)\.json", path):
        return _list(match[1])
    if re.fullmatch(r"/scripted/app/\w+", path):
        return _shell
    return _OTHERS.get(path)


def _sound(name: str) -> Callable[[Visit], Answer]:
    return lambda _: Answer(200, CONTENT_TYPES[".wav"], sound(name))


def _list(name: str) -> Callable[[Visit], Answer]:
    return lambda _: _json(_LISTS[name])


def _json(value: object) -> Answer:
    return Answer(200, "application/json", json.dumps(value).replace("/", "\\/").encode())


def _tapes(visit: Visit) -> Answer:
    return _json(_TAPES[visit.query["name"]])


def _shell(_: Visit) -> Answer:
    """The single-page app, whatever its route."""
    body = '<div id="root"></div><script src="/scripted/app/app.js"></script>'
    return Answer(200, CONTENT_TYPES[".html"], f"<!doctype html><title>The tape room</title>{body}\n".encode())


def _members_only(visit: Visit) -> Answer:
    """The sound, for those whom its page has sent and who carry its cookie."""
    sent = visit.headers.get("Referer", "").endswith("/scripted/members.html")
    if not sent or f"member={MEMBER}" not in visit.headers.get("Cookie", ""):
        return html(403, "For members only.")
    return Answer(200, CONTENT_TYPES[".wav"], sound("members-only"))


def _never(visit: Visit) -> Answer:
    visit.closing.wait(60)
    return html(503, "Too late.")


_OTHERS: dict[str, Callable[[Visit], Answer]] = {
    "/scripted/data/tapes": _tapes,
    "/scripted/members-only.wav": _members_only,
    "/scripted/never.js": _never,
}
