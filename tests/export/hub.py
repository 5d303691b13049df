"""A stand-in for the Hugging Face Hub on loopback: as much of its API as an upload of a small dataset uses.

See https://huggingface.co/docs/hub/api. Every file is "regular": its bytes are in the commit itself.
"""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Hub:
    url: str = ""
    token: str = "hf_right"
    created: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)

    def answer(self, path: str, body: bytes) -> Any:  # noqa: PLR0911 - one for each endpoint
        if path == "/api/repos/create":
            self.created.append(json.loads(body))
            return {"url": f"{self.url}/datasets/museum/birdsong"}
        if path == "/api/validate-yaml":
            return {"errors": [], "warnings": []}
        if path.startswith("/api/datasets/museum/birdsong/tree/"):
            return [{"type": "file", "path": name, "oid": COMMIT, "size": len(self.files[name])} for name in self.files]
        if path == "/api/datasets/museum/birdsong/preupload/main":
            paths = [each["path"] for each in json.loads(body)["files"]]
            return {"files": [{"path": name, "uploadMode": "regular", "shouldIgnore": False} for name in paths]}
        if path == "/api/datasets/museum/birdsong/commit/main":
            for operation in map(json.loads, body.splitlines()):
                self._take(operation["key"], operation["value"])
            return {"commitUrl": f"{self.url}/datasets/museum/birdsong/commit/{COMMIT}", "commitOid": COMMIT}
        if path == "/api/datasets/museum/birdsong/revision/main":
            return {"id": "museum/birdsong", "sha": COMMIT, "siblings": [{"rfilename": name} for name in self.files]}
        return None

    def _take(self, key: str, value: dict[str, Any]) -> None:
        if key == "file":
            self.files[value["path"]] = base64.b64decode(value["content"])
        elif key == "deletedFile":
            del self.files[value["path"]]


@contextmanager
def a_hub() -> Iterator[Hub]:
    hub = Hub()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.headers["Authorization"] != f"Bearer {hub.token}":
                return self._send(401, {"error": "Invalid credentials in Authorization header"})
            answer = hub.answer(self.path.partition("?")[0], body)
            return self._send(404 if answer is None else 200, answer)

        do_GET = do_POST  # noqa: N815 - as http.server calls it

        def _send(self, status: int, answer: Any) -> None:
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
