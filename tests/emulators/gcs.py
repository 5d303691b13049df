"""A bucket name in; a Cloud Storage server on loopback out, until the process ends: ``python -m tests.emulators.gcs``.

gcp-storage-emulator keeps the buckets and objects. The proxy before it adds what that lacks: preconditions,
permissions, uploads in several requests that can be sent twice, and requests at the same time.
"""

import json
import logging
import re
import sys
import threading
from dataclasses import dataclass, field
from email.message import Message
from functools import partial
from http.server import HTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from gcp_storage_emulator.handlers.buckets import create_bucket
from gcp_storage_emulator.server import RequestHandler
from gcp_storage_emulator.storage import Storage

from tests.emulators.reverse_proxy import Answer, Request, ReverseProxy

ALL_PERMISSIONS = frozenset(f"storage.objects.{verb}" for verb in ("create", "get", "list", "delete", "update"))
_VERBS = {"POST": "create", "GET": "get", "DELETE": "delete", "PATCH": "update"}
_CONTENT_RANGE = re.compile(r"bytes (?:\*|(?P<first>\d+)-\d+)/(?:\*|(?P<total>\d+))")


class GcsEmulator(ReverseProxy):
    """Cloud Storage's JSON API at ``url``. ``granted`` are the permissions of its only user."""

    def __init__(self) -> None:
        logging.getLogger("gcp_storage_emulator").setLevel(logging.CRITICAL)
        logging.getLogger("api").setLevel(logging.CRITICAL)
        self.storage = _Memory(use_memory_fs=True)
        self.granted: frozenset[str] = ALL_PERMISSIONS
        self._backend = _Backend(("127.0.0.1", 0), partial(RequestHandler, self.storage))
        self._sessions: dict[str, _Session] = {}
        self._writing = threading.Lock()
        super().__init__(f"http://127.0.0.1:{self._backend.server_port}")

    def __enter__(self) -> Self:
        threading.Thread(target=self._backend.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return super().__enter__()

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self._backend.shutdown()
        self._backend.server_close()

    def create_bucket(self, name: str) -> str:
        """Make an empty bucket and return its name."""
        create_bucket(name, self.storage)
        return name

    def objects(self, bucket: str) -> dict[str, dict[str, Any]]:
        """Return the resource of each object of a bucket by its name."""
        return dict(self.storage.objects.get(bucket, {}))

    def content(self, bucket: str, name: str) -> bytes:
        """Return the bytes of an object."""
        return bytes(self.storage.get_file(bucket, name))

    def answer(self, request: Request) -> Answer:
        """Return what Cloud Storage would."""
        url = urlsplit(request.target)
        query = {name: values[-1] for name, values in parse_qs(url.query).items()}
        bucket = _bucket_of(url.path)
        if url.path.endswith("/iam/testPermissions") and self.storage.get_bucket(bucket):
            asked = parse_qs(url.query)["permissions"]
            return _json(200, {"permissions": [each for each in asked if each in self.granted]})
        if "upload_id" in query:
            return self._continue(self._sessions[query["upload_id"]], request)
        if "/o" in url.path and self._needed(request.method, url.path) not in self.granted:
            return _error(403, f"The caller does not have {self._needed(request.method, url.path)} access")
        return self._insert(bucket, query, request) if "uploadType" in query else self.forward(request)

    def _needed(self, method: str, path: str) -> str:
        is_list = method == "GET" and path.endswith("/o")
        return f"storage.objects.{'list' if is_list else _VERBS.get(method, 'update')}"

    def _insert(self, bucket: str, query: dict[str, str], request: Request) -> Answer:
        is_resumable = query["uploadType"] == "resumable"
        name = str(_metadata(request.body, is_multipart=not is_resumable)["name"])
        with self._writing:
            if failed := self._failed_precondition(bucket, name, query):
                return failed
            return self._start(bucket, name, query, request) if is_resumable else self.forward(request)

    def _failed_precondition(self, bucket: str, name: str, query: dict[str, str]) -> Answer | None:
        asked = query.get("ifGenerationMatch")
        live = self.objects(bucket).get(name, {"generation": "0"})["generation"]
        if asked in {None, live}:
            return None
        return _error(412, "At least one of the pre-conditions you specified did not hold.")

    def _start(self, bucket: str, name: str, query: dict[str, str], request: Request) -> Answer:
        """Begin an upload in several requests: the emulator gets the metadata now and the bytes when all are here."""
        answer = self.forward(request)
        locations = [value for header, value in answer.headers if header == "Location"]
        if locations:
            upload_id = parse_qs(urlsplit(locations[0]).query)["upload_id"][-1]
            self._sessions[upload_id] = _Session(bucket, name, query)
        return answer

    def _continue(self, session: "_Session", request: Request) -> Answer:
        """Take a part as Cloud Storage does: bytes that it has are ignored, and a finished upload answers again."""
        sent = _CONTENT_RANGE.fullmatch(request.headers["Content-Range"])
        assert sent
        with self._writing:
            session.take(int(sent["first"] or len(session.content)), request.body)
            if session.answer is None and sent["total"] and int(sent["total"]) == len(session.content):
                session.answer = self._finish(session, request)
            return session.answer or session.progress()

    def _finish(self, session: "_Session", request: Request) -> Answer:
        if failed := self._failed_precondition(session.bucket, session.name, session.query):
            return failed
        size_bytes = len(session.content)
        headers = Message()
        headers["Content-Range"] = f"bytes 0-{size_bytes - 1}/{size_bytes}"
        return self.forward(Request("PUT", request.target, headers, bytes(session.content)))


@dataclass(slots=True)
class _Session:
    """An upload in several requests."""

    bucket: str
    name: str
    query: dict[str, str]
    content: bytearray = field(default_factory=bytearray)
    answer: Answer | None = None

    def take(self, first: int, part: bytes) -> None:
        if self.answer is None and first <= len(self.content):
            self.content += part[len(self.content) - first :]

    def progress(self) -> Answer:
        return Answer(308, [("Range", f"bytes=0-{len(self.content) - 1}")] if self.content else [])


class _Memory(Storage):  # type: ignore[misc]  # the emulator ships no types
    def _write_config_to_file(self) -> None:
        """Keep it: all metadata at each write would make each upload slower than the one before."""


class _Backend(HTTPServer):
    request_queue_size = 64


def _bucket_of(path: str) -> str:
    found = re.search(r"/b/([^/]+)", path)
    return found[1] if found else ""


def _metadata(body: bytes, *, is_multipart: bool) -> Any:
    text = body.partition(b"\r\n\r\n")[2] if is_multipart else body
    return json.JSONDecoder().raw_decode(text[: 64 << 10].decode("utf-8", "replace").lstrip())[0]


def _json(status: int, value: Any) -> Answer:
    return Answer(status, [("Content-Type", "application/json")], json.dumps(value).encode())


def _error(status: int, message: str) -> Answer:
    return _json(status, {"error": {"code": status, "message": message, "errors": [{"message": message}]}})


def main() -> None:
    """Serve the buckets named on the command line until interrupted, and print the URL first."""
    with GcsEmulator() as emulator:
        for name in sys.argv[1:]:
            emulator.create_bucket(name)
        print(emulator.url, flush=True)  # noqa: T201
        threading.Event().wait()


if __name__ == "__main__":
    main()
