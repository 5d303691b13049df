"""Which contents are under way in this crawl."""

import asyncio


class Claims:
    """Which contents are under way, so that equal files that arrive together are measured and stored once."""

    def __init__(self) -> None:
        self._under_way: dict[str, asyncio.Future[None]] = {}

    async def claim(self, sha256: str) -> None:
        """Return when nobody else is at work on this content."""
        while sha256 in self._under_way:
            await self._under_way[sha256]
        self._under_way[sha256] = asyncio.get_running_loop().create_future()

    def release(self, sha256: str) -> None:
        """Let the next one have it."""
        released = self._under_way.pop(sha256, None)
        if released is not None:
            released.set_result(None)
