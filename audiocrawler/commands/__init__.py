"""Commands of ``scrapy``, beside and in place of its own."""

# Scrapy looks through the stack of imports here: while it is still shallow that saves each start a sixth of a second.
import scrapy.core.downloader.handlers.http11  # noqa: F401

from audiocrawler.scrapy_private import SCRAPY, exit_unless_known

exit_unless_known(SCRAPY)  # before anything that needs them is imported
