"""A site of linked pages in a process of its own, on as many loopback addresses as there are hosts.

    python -m benchmarks.link_server PORT PAGES HOSTS LATENCY_S

Page N links to 2N+1 and 2N+2, which lie on the next hosts. /times answers when each page was asked for, as JSON.
"""

import asyncio
import json
import sys
import time

FIRST_ADDRESS = 10
TEXT = "The tide comes in and the tide goes out. " * 20


class Site:
    """Answers requests and remembers when they came."""

    def __init__(self, port: int, pages: int, hosts: int, latency_s: float) -> None:
        self._port, self._pages, self._hosts, self._latency_s = port, pages, hosts, latency_s
        self._times: list[tuple[float, str]] = []

    async def serve(self) -> None:
        """Serve until the process ends."""
        server = await asyncio.start_server(self._talk, "0.0.0.0", self._port)
        async with server:
            await server.serve_forever()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                while (await reader.readline()).strip():
                    pass
                await self._answer(line.split()[1].decode(), writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _answer(self, path: str, writer: asyncio.StreamWriter) -> None:
        name = path.strip("/")
        if name == "times":
            body = json.dumps(self._times)
        else:
            self._times.append((time.monotonic(), path))
            await asyncio.sleep(self._latency_s)
            body = self._page(int(name)) if name.isdigit() else ""
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write((head + body).encode())
        await writer.drain()

    def _page(self, number: int) -> str:
        below = [child for child in (2 * number + 1, 2 * number + 2, number // 2) if child < self._pages]
        links = "".join(f'<a href="{url_of(child, self._port, self._hosts)}">{child}</a> ' for child in below)
        return f"<!doctype html><title>{number}</title>{links}{TEXT}"


def url_of(number: int, port: int, hosts: int) -> str:
    """Return the URL of a page."""
    return f"http://127.0.0.{FIRST_ADDRESS + number % hosts}:{port}/{number}"


if __name__ == "__main__":
    asyncio.run(Site(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])).serve())
