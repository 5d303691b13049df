"""A Scrapyd launcher that stops crawls gracefully, for ``launcher =`` in scrapyd.conf."""

from typing import Any

from scrapyd.launcher import Launcher
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.error import ProcessExitedAlready

from audiocrawler.scrapy_private import SCRAPYD, exit_unless_known

exit_unless_known(SCRAPYD)


class GracefulLauncher(Launcher):  # type: ignore[misc]
    """Stop the crawls gracefully when Scrapyd is stopped, and wait for them.

    Otherwise a container's crawls would be killed as soon as Scrapyd exits.
    """

    _stopping = False

    def stopService(self) -> Deferred[list[tuple[bool, Any]]]:  # noqa: N802 - Twisted's name
        """Interrupt all crawls, and return a Deferred that fires when they have ended."""
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
