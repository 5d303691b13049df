"""Serves a page with many large WAV files, each of its own bytes, made on the way: ``python -m ... COUNT SIZE_MIB``."""

import struct
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CHUNK = 1 << 20


class Handler(BaseHTTPRequestHandler):
    """The page at /, and /0.wav, /1.wav ..."""

    protocol_version = "HTTP/1.1"
    count = 0
    size_bytes = 0

    def do_GET(self) -> None:
        """Answer."""
        if self.path == "/":
            page = "".join(f'<a href="/{n}.wav">{n}</a> ' for n in range(self.count)).encode()
            self._head(200, "text/html", len(page))
            self.wfile.write(page)
        elif self.path.endswith(".wav"):
            self._wav(int(self.path.strip("/").removesuffix(".wav")))
        else:
            self._head(404, "text/plain", 0)

    def _wav(self, number: int) -> None:
        self._head(200, "audio/wav", 44 + self.size_bytes)
        audio = struct.pack("<HHIIHH", 1, 2, 44100, 44100 * 4, 4, 16)
        self.wfile.write(b"RIFF" + struct.pack("<I", 36 + self.size_bytes) + b"WAVEfmt " + struct.pack("<I", 16))
        self.wfile.write(audio + b"data" + struct.pack("<I", self.size_bytes))
        samples = b"".join(struct.pack("<h", (i * (number + 7)) % 8000 - 4000) for i in range(CHUNK // 2))
        for _ in range(self.size_bytes // CHUNK):
            self.wfile.write(samples)

    def _head(self, status: int, content_type: str, size_bytes: int) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(size_bytes))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def main() -> None:
    """Print the URL and serve until killed."""
    Handler.count, Handler.size_bytes = int(sys.argv[1]), int(sys.argv[2]) * CHUNK
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(f"http://127.0.0.1:{server.server_address[1]}/", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
