"""A site of 200 pages of several templates for the benchmarks, 20 of which name their audio only by scripts."""

import json
import re
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

from tests.site.tones import tone_wav

TEXT = "<p>" + "The tide comes in and the tide goes out, and somebody writes down when. " * 12 + "</p>"
FETCHED, SHELLS, CLICKED, INSERTED = range(5), range(5, 10), range(10, 15), range(15, 20)
STATIC = range(100, 150)
PAGES = (
    [f"/notes/a-note-of-the-day-{number}" for number in range(75)]
    + [f"/episodes/{number}" for number in STATIC]
    + [f"/lists/{number}" for number in range(25)]
    + [f"/stories/a-story-from-the-quay-{number}" for number in range(35)]
    + [f"/stories/a-story-with-sound-{number}" for number in INSERTED]
    + [f"/talks/{number}" for number in FETCHED]
    + [f"/rooms/{number}" for number in SHELLS]
)
"""Without the five of CLICKED, which are among the lists."""
NEEDED = [*FETCHED, *SHELLS, *CLICKED, *INSERTED]


class Handler(BaseHTTPRequestHandler):
    """The pages, their data and their sounds; ``opened`` counts the documents that the browser asked for."""

    protocol_version = "HTTP/1.1"
    opened: ClassVar[Counter[str]] = Counter()

    def do_GET(self) -> None:
        """Answer."""
        if match := re.fullmatch(r"/sounds/(\d+)\.wav", self.path):
            self._send("audio/wav", tone_wav(int(match[1])))
        elif match := re.fullmatch(r"/data/(\d+)", self.path):
            self._send("application/json", json.dumps({"file": f"/sounds/{match[1]}.wav"}).encode())
        elif self.path.endswith((".txt", ".js", ".ico", ".json")):
            self._send("text/plain", b"")
        else:
            self._page()

    def _page(self) -> None:
        if self.headers.get("Sec-Fetch-Dest") == "document" or self.headers.get("Upgrade-Insecure-Requests"):
            type(self).opened[self.path] += 1
        self._send("text/html", page(self.path.partition("?")[0]).encode())

    def _send(self, content_type: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """Room for the connections that a browser opens."""

    daemon_threads = True
    request_queue_size = 128


def page(path: str) -> str:
    """Return the page of this path; the first one links to all others."""
    if path == "/":
        links = "".join(f'<p><a href="{each}">{each}</a></p>' for each in PAGES)
        return _whole("All", links + "".join(f'<p><a href="/lists/{n}00">more</a></p>' for n in CLICKED))
    _, folder, name = path.split("/")
    number = int(name.rpartition("-")[2])
    return _TEMPLATES[folder](number, name)


def _whole(title: str, body: str) -> str:
    counter = "<script>window.dataLayer = window.dataLayer || []; dataLayer.push({page: 1});</script>"
    return f"<!doctype html><html><head><title>{title}</title>{counter}</head><body>{body}</body></html>"


def _note(number: int, _name: str) -> str:
    return _whole(f"Note {number}", TEXT)


def _episode(number: int, _name: str) -> str:
    player = f'<audio controls class="player" src="/sounds/{number}.wav"></audio><script src="/plyr.js"></script>'
    return _whole(f"Episode {number}", TEXT + player)


def _list(number: int, _name: str) -> str:
    if number < 100:
        return _whole(f"List {number}", TEXT + f'<a href="/sounds/{number % 25 + 150}.wav">Listen</a>')
    button = '<button type="button" aria-label="Play">&#9654;</button>'
    play = f'new Audio("/sounds/" + {number // 100} + ".wav").play()'
    script = f'<script>document.querySelector("button").onclick = () => {play};</script>'
    return _whole(f"List {number}", TEXT + button + script)


def _story(number: int, name: str) -> str:
    box = '<div class="audio-player"></div>'
    if "with-sound" not in name:
        return _whole(f"Story {number}", TEXT + box + "<script>document.title += '!';</script>")
    script = (
        '<script>const audio = document.createElement("audio"); audio.preload = "none";'
        f' audio.src = "/sounds/" + {number} + ".wav"; document.querySelector(".audio-player").append(audio);</script>'
    )
    return _whole(f"Story {number}", TEXT + box + script)


def _talk(number: int, _name: str) -> str:
    script = (
        f'<script>fetch("/data/{number}").then((answer) => answer.json()).then((episode) => '
        "{ const audio = new Audio(); audio.src = episode.file; });</script>"
    )
    return _whole(f"Talk {number}", TEXT + script)


def _room(number: int, _name: str) -> str:
    script = (
        f'<div id="root"></div><script>fetch("/data/{number}").then((answer) => answer.json()).then((room) => '
        "{ root.innerHTML = `<audio preload=none src=${room.file}></audio>`; });</script>"
    )
    return _whole(f"Room {number}", script)


_TEMPLATES = {
    "notes": _note,
    "episodes": _episode,
    "lists": _list,
    "stories": _story,
    "talks": _talk,
    "rooms": _room,
}
