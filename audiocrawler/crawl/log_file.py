"""Name the log file of a crawl after its crawl_id."""

import logging
from itertools import count
from pathlib import Path

from audiocrawler.crawl.manifest import file_stem

logger = logging.getLogger(__name__)


class LogFile:
    """``<crawl_id>.log``, or ``<crawl_id>.2.log`` and so on for a further run or another worker of the crawl."""

    def __init__(self, folder: Path, crawl_id: str) -> None:
        self._folder = folder
        self._crawl_id = crawl_id
        self.path = _create(folder, crawl_id)

    def rename(self, crawl_id: str) -> None:
        """Rename the file after the crawl that is resumed; handlers that have it open go on writing to it."""
        if crawl_id == self._crawl_id:
            return
        try:
            renamed = _create(self._folder, crawl_id)
            self.path.replace(renamed)
        except OSError as error:
            logger.warning("%s could not be renamed after the crawl: %s", self.path, error.strerror)
            return
        for handler in logging.root.handlers:
            if isinstance(handler, logging.FileHandler) and handler.baseFilename == str(self.path.absolute()):
                handler.baseFilename = str(renamed.absolute())
        self.path, self._crawl_id = renamed, crawl_id


def _create(folder: Path, crawl_id: str) -> Path:
    """Create the first file of these names that does not exist, and return it. Raises OSError."""
    stem = file_stem(crawl_id)
    for number in count(1):
        path = folder / (f"{stem}.log" if number == 1 else f"{stem}.{number}.log")
        try:
            path.open("x").close()
        except FileExistsError:
            continue
        return path
    raise AssertionError
