"""Scrapyd's launcher, for ``launcher =`` in scrapyd.conf."""

from typing import Any

from scrapyd.launcher import Launcher
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.error import ProcessExitedAlready

from audiocrawler.scrapy_private import SCRAPYD, exit_unless_known

exit_unless_known(SCRAPYD)


class GracefulLauncher(Launcher):  # type: ignore[misc]
    """Ends the crawls in good order when Scrapyd itself is stopped, where Scrapyd's own leaves them behind.

    A container's crawls are killed with it once Scrapyd is gone, so it waits for them.
    """

    _stopping = False

    def stopService(self) -> Deferred[list[tuple[bool, Any]]]:  # noqa: N802 - Twisted's name
        """Return what fires when all crawls have ended."""
        self._stopping = True
        running = list(self.processes.values())
        for process in running:
            try:
                process.transport.signalProcess("INT")
            except ProcessExitedAlready:
                continue
        return DeferredList([process.deferred for process in running])

    def _get_message(self, slot: int) -> None:
        if not self._stopping:
            super()._get_message(slot)
