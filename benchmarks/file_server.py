"""Files for the benchmarks, from a process of its own that is never the bottleneck: bodies go out by sendfile.

    python -m benchmarks.file_server COUNT SIZE_BYTES HOSTS

The page at / links to /0.wav, /1.wav ..., spread over so many addresses of 127.0.0.0/8; of one host, they are on the
page's own. Each file has bytes of its own at its start, before samples that all share. /figures answers how many files
were sent, in which time, and the process's CPU seconds.
"""

import asyncio
import json
import math
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

REPOSITORY = Path(__file__).parents[1]
FIRST_ADDRESS = 10
HEAD_BYTES = 64
"""The RIFF header, with a chunk that tells the file's number."""
RATE_HZ = 44_100


@dataclass(frozen=True, slots=True)
class Figures:
    """What the server did since it was last asked."""

    files: int
    seconds: float
    """From the first file's request to the last one's end."""
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Served:
    """A running server."""

    port: int
    count: int
    hosts: int

    @property
    def page_url(self) -> str:
        """Return the URL of the page."""
        return f"http://127.0.0.1:{self.port}/"

    def url_of(self, number: int) -> str:
        """Return the URL of a file."""
        address = FIRST_ADDRESS + number % self.hosts if self.hosts > 1 else 1
        return f"http://127.0.0.{address}:{self.port}/{number}.wav"

    def figures(self) -> Figures:
        """Return what the server did since it was last asked."""
        with urllib.request.urlopen(f"{self.page_url}figures") as answer:
            return Figures(**json.load(answer))


@contextmanager
def serving(count: int, size_bytes: int, hosts: int = 1) -> Iterator[Served]:
    """Serve so many files while the block runs."""
    command = [sys.executable, "-m", "benchmarks.file_server", *map(str, (count, size_bytes, hosts))]
    process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield Served(int(process.stdout.readline()), count, hosts)
    finally:
        process.kill()
        process.wait()


class _Server:
    def __init__(self, count: int, size_bytes: int, hosts: int, samples: IO[bytes]) -> None:
        self._count, self._size_bytes, self._hosts = count, size_bytes, hosts
        self._samples = samples
        self._port = 0
        self._sent: list[tuple[float, float]] = []
        self._cpu_s = time.process_time()

    async def serve(self) -> None:
        server = await asyncio.start_server(self._talk, "0.0.0.0", 0, backlog=512)
        self._port = server.sockets[0].getsockname()[1]
        sys.stdout.write(f"{self._port}\n")
        sys.stdout.flush()
        async with server:
            await server.serve_forever()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                await self._answer(head.split(b" ", 2)[1].decode().strip("/"), writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _answer(self, name: str, writer: asyncio.StreamWriter) -> None:
        if name.endswith(".wav"):
            await self._file(int(name.removesuffix(".wav")), writer)
        elif name == "figures":
            writer.write(_answer("application/json", json.dumps(self._figures()).encode()))
        elif name:
            writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        else:
            served = Served(self._port, self._count, self._hosts)
            links = "".join(f'<a href="{served.url_of(n)}">{n}</a>\n' for n in range(self._count))
            writer.write(_answer("text/html", f"<!doctype html><title>Files</title>{links}".encode()))
        await writer.drain()

    async def _file(self, number: int, writer: asyncio.StreamWriter) -> None:
        began = time.monotonic()
        writer.write(_head("audio/wav", self._size_bytes) + _riff(number, self._size_bytes))
        await writer.drain()
        await asyncio.get_running_loop().sendfile(writer.transport, self._samples, 0, self._size_bytes - HEAD_BYTES)
        self._sent.append((began, time.monotonic()))

    def _figures(self) -> dict[str, Any]:
        sent, self._sent = self._sent, []
        before, self._cpu_s = self._cpu_s, time.process_time()
        seconds = max(end for _, end in sent) - min(began for began, _ in sent) if sent else 0
        return {"files": len(sent), "seconds": seconds, "cpu_s": self._cpu_s - before}


def _answer(kind: str, body: bytes) -> bytes:
    return _head(kind, len(body)) + body


def _head(kind: str, size_bytes: int) -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {size_bytes}\r\n\r\n".encode()


def _riff(number: int, size_bytes: int) -> bytes:
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE_HZ, 2 * RATE_HZ, 2, 16)
    own = struct.pack("<4sI12s", b"numb", 12, str(number).encode())
    data = struct.pack("<4sI", b"data", size_bytes - HEAD_BYTES)
    return struct.pack("<4sI4s", b"RIFF", size_bytes - 8, b"WAVE") + form + own + data


def _write_samples(file: IO[bytes], size_bytes: int) -> None:
    second = array("h", (round(9_000 * math.sin(2 * math.pi * 440 * n / RATE_HZ)) for n in range(RATE_HZ))).tobytes()
    for start in range(0, size_bytes, len(second)):
        file.write(second[: size_bytes - start])
    file.flush()


def main() -> None:
    """Print the port and serve until killed."""
    count, size_bytes, hosts = map(int, sys.argv[1:])
    with tempfile.TemporaryFile() as samples:
        _write_samples(samples, size_bytes - HEAD_BYTES)
        asyncio.run(_Server(count, size_bytes, hosts, samples).serve())


if __name__ == "__main__":
    main()
