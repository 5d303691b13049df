"""Work on a collection in; its exit code, and where it fails one line that says why, out."""

import sys
from collections.abc import Callable
from contextlib import ExitStack

from audiocrawler.crawl.exit_codes import INTERRUPTED, LEFT_BEHIND, LOCKED, USAGE
from audiocrawler.model.errors import AudioCrawlerError, ConfigurationError, LockedError
from audiocrawler.report.messages import print_error, say

Prepare = Callable[[ExitStack], Callable[[], int]]
"""Opens what is needed, and returns the work, which returns the exit code. Raises ConfigurationError."""


def exit_code_of(prepare: Prepare) -> int:
    """Do the work, close everything that was opened for it, and return the exit code."""
    try:
        with ExitStack() as opened:
            return _done(prepare, opened)
    except KeyboardInterrupt:
        say("interrupted; run the same command to resume", sys.stderr)
        return INTERRUPTED
    except AudioCrawlerError as error:
        print_error(error)
        return LEFT_BEHIND


def _done(prepare: Prepare, opened: ExitStack) -> int:
    try:
        work = prepare(opened)
    except ConfigurationError as error:
        print_error(error)
        return LOCKED if isinstance(error, LockedError) else USAGE
    return work()
