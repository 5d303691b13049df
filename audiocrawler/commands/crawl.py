"""``scrapy crawl``, with arguments checked before anything starts, a closing table and an exit code that tells."""

import argparse
import asyncio
import logging
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from scrapy.commands.crawl import Command as ScrapyCrawlCommand
from scrapy.crawler import Crawler
from scrapy.settings import BaseSettings

from audiocrawler.browser.handler import chromium_of
from audiocrawler.collection.inventory import LOCAL_SCHEMES
from audiocrawler.commands.streams import flush_output, messages_of, outlive_readers
from audiocrawler.config.arguments import Arguments, parse_arguments
from audiocrawler.config.scrapy_settings import check_dictionaries, check_scrapy_parts, check_scrapy_values
from audiocrawler.config.settings import check_settings
from audiocrawler.crawl.crawl import new_crawl_id
from audiocrawler.crawl.exit_codes import INTERRUPTED, LOCKED, USAGE, Rest, conclusion
from audiocrawler.crawl.lifecycle import CrawlLifecycle
from audiocrawler.fetch.accounts import expired_note, read_cookies
from audiocrawler.logs import log_as_json
from audiocrawler.model.errors import ConfigurationError, LockedError
from audiocrawler.model.settings import AudioSettings, user_agent
from audiocrawler.model.text import mask_text, one_line, printable
from audiocrawler.model.uris import scheme_of
from audiocrawler.rendering.chromium import HOW_TO_INSTALL
from audiocrawler.report.summary import Places, render, summarise
from audiocrawler.spiders.audio import AudioSpider

logger = logging.getLogger(__name__)
MAX_SHOWN = 500
"""Characters of a foreign error that a message repeats."""


class Command(ScrapyCrawlCommand):
    """Run a spider; for ``audio`` say what came of it.

    Exit codes: 0 done, single failed files included; 2 usage or configuration; 3 every start failed, no audio found,
    or not one file came; 4 rows or requests were left behind; 5 another crawl of the same start holds the lock; 130
    interrupted.
    """

    _failure: BaseException | None = None
    """What ended the crawl before it had begun."""

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Have the help name what the audio spider takes after -a."""
        super().add_options(parser)
        options_help = parser.format_help
        parser.format_help = lambda: options_help() + self.arguments_help()  # type: ignore[method-assign]

    def arguments_help(self) -> str:
        """Return a line for each argument; argparse would fill them into one paragraph."""
        lines = (f"  -a {name + '=':<12} {field.description}\n" for name, field in Arguments.model_fields.items())
        return f"\nArguments of the audio spider:\n{''.join(lines)}"

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        """Check the spider's arguments, and give the crawl a log file before the first line is logged."""
        outlive_readers()
        self._check_given(opts, is_ours=args in ([AudioSpider.name], []))
        super().process_options(args, opts)
        if args == [AudioSpider.name]:
            self.prepare(lambda settings: check_browser(settings, parse_arguments(opts.spargs).render))

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Run the spider named in ``args``, and say at the end of an audio crawl what came of it."""
        if args != [AudioSpider.name]:
            super().run(args, opts)
        else:
            self.crawl(AudioSpider.name, opts)

    def _check_given(self, opts: argparse.Namespace, *, is_ours: bool) -> None:
        """Check options of which Scrapy would leave too little to tell what was wrong."""
        assert self.settings is not None
        try:
            check_dictionaries(self.settings, opts.set)
            if is_ours:
                check_repeated(opts.spargs)
        except ConfigurationError as error:
            refuse(error)

    def prepare(self, check_arguments: Callable[[BaseSettings], object]) -> None:
        """Check settings and arguments and choose the log file; what is wrong ends the command in one line."""
        try:
            assert self.settings is not None
            check_scrapy_values(self.settings)
            introduce(self.settings, check_settings(self.settings).contact)
            check_arguments(self.settings)
            self._choose_log_file()
            log_as_json(self.settings)
        except ConfigurationError as error:
            refuse(error)

    def crawl(self, spider_name: str, opts: argparse.Namespace) -> Crawler:
        """Run one of our spiders, conclude with a table and the exit code, and return what ran it."""
        crawler = self.launch(spider_name, opts.spargs)
        self.exitcode = self._conclude(crawler)
        return crawler

    def launch(self, spider_name: str, arguments: dict[str, str]) -> Crawler:
        """Run one of our spiders to its end, and return what ran it."""
        assert self.crawler_process is not None
        assert self.settings is not None
        for note in notes(self.settings):
            print(note, file=sys.stderr)
        crawler = self._create_crawler(spider_name)
        try:
            check_scrapy_values(crawler.settings)  # those of the spider's class are among them now
            check_scrapy_parts(crawler.settings)
            check_settings(crawler.settings)
        except ConfigurationError as error:
            refuse(error)
        running = self.crawler_process.crawl(crawler, **arguments)
        self.crawler_process.start()
        if isinstance(running, asyncio.Task) and running.done() and not running.cancelled():
            self._failure = running.exception()
        return crawler

    def _choose_log_file(self) -> None:
        """Set a log file of the crawl's own, unless one is set or there is no log: the terminal stays readable."""
        settings = self.settings
        assert settings is not None
        folder = AudioSettings.of(settings).log_dir
        if not settings.getbool("LOG_ENABLED"):
            return
        if settings["LOG_FILE"]:
            _check_log_file(Path(settings["LOG_FILE"]))
        elif folder:
            _make_log_dir(folder)
            settings.set("LOG_FILE", str(folder / f"{new_crawl_id(None)}.log"), priority="cmdline")

    def _has_failed(self) -> bool:
        return bool(self.crawler_process and self.crawler_process.bootstrap_failed)

    def _log_hint(self) -> str:
        log = self.settings["LOG_FILE"] if self.settings else None
        return f"{log} tells why" if log else "its log tells why"

    def failure_to_start(self, crawler: Crawler) -> int | None:
        """Say why a crawl could not run, and return the exit code for that; None if it ran."""
        lifecycle = crawler.get_extension(CrawlLifecycle) if not self._has_failed() else None
        if lifecycle is None:
            logger.error("the crawl could not start", exc_info=self._failure)
            why = one_line(mask_text(str(self._failure)), MAX_SHOWN)
            print(f"scrapy: error: the crawl could not start: {printable(why)}; {self._log_hint()}", file=sys.stderr)
            return USAGE
        error = lifecycle.configuration_error
        if error is not None:
            print(printable(mask_text(f"scrapy: error: {error}")), file=sys.stderr)
            return LOCKED if isinstance(error, LockedError) else USAGE
        return None

    def _conclude(self, crawler: Crawler) -> int:
        if (code := self.failure_to_start(crawler)) is not None:
            return code
        lifecycle = crawler.get_extension(CrawlLifecycle)
        assert lifecycle is not None
        stats = crawler.stats.get_stats()
        assert self.settings is not None
        places = Places(self.settings["AUDIO_STORE"], self.settings["AUDIO_WAREHOUSE"], self.settings["LOG_FILE"])
        print(printable(render(summarise(stats), places)), file=messages_of(self.settings))
        if unrendered := stats.get("browser/missing"):
            print(f"{unrendered} pages need a browser: {HOW_TO_INSTALL}", file=sys.stderr)
        unwritten = flush_output()
        rest = lifecycle.crawl.rest if lifecycle.crawl else Rest()
        rest = replace(rest, left_behind=rest.left_behind or unwritten)
        code, failure = conclusion(stats, stats.get("finish_reason"), rest)
        if failure:
            print(printable(failure if code == INTERRUPTED else f"scrapy: error: {failure}"), file=sys.stderr)
        return code


def refuse(error: ConfigurationError) -> NoReturn:
    """Say in one line what is wrong with the arguments or settings, and end with the exit code for that."""
    print(printable(mask_text(f"scrapy: error: {error}")), file=sys.stderr)
    raise SystemExit(USAGE)


def _check_log_file(path: Path) -> None:
    try:
        path.open("ab").close()
    except OSError as error:
        raise ConfigurationError(f"LOG_FILE={path}: cannot be written ({error.strerror})") from error


def _make_log_dir(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.NamedTemporaryFile(dir=folder).close()
    except OSError as error:
        raise ConfigurationError(f"AUDIO_LOG_DIR={folder}: cannot be written ({error.strerror})") from error


def check_repeated(given: Iterable[str]) -> None:
    """Raise ConfigurationError for an argument that is given twice: Scrapy would take the last one without a word."""
    for name, number in Counter(each.partition("=")[0] for each in given).items():
        if number > 1:
            remedy = "separate URLs by spaces: -a url='https://... https://...'" if name == "url" else "give it once"
            raise ConfigurationError(f"-a {name}: is given {number} times; {remedy}")


def introduce(settings: BaseSettings, contact: str | None) -> None:
    """Put a contact that came by ``-s`` into the user agent, unless that was given, too."""
    if settings["USER_AGENT"] == user_agent(os.environ.get("AUDIO_CONTACT")):
        settings.set("USER_AGENT", user_agent(contact), priority="project")


def check_browser(settings: BaseSettings, render: str) -> None:
    """Raise ConfigurationError where pages must be rendered and cannot be, or AUDIO_CHROMIUM names no program."""
    if render == "always" or (render == "auto" and AudioSettings.of(settings).chromium):
        chromium_of(settings)


def notes(settings: BaseSettings) -> Iterator[str]:
    """Yield what a user should know before the crawl starts."""
    if not AudioSettings.of(settings).contact:
        yield "no AUDIO_CONTACT is set: give a URL or an address, so that sites can reach you"
    if note := expired_note(read_cookies(AudioSettings.of(settings).cookies)):
        yield note
    store_is_local, warehouse_is_local = (
        scheme_of(settings[name]) in LOCAL_SCHEMES for name in ("AUDIO_STORE", "AUDIO_WAREHOUSE")
    )
    if store_is_local and not warehouse_is_local:
        yield "AUDIO_STORE is a folder and AUDIO_WAREHOUSE is BigQuery: its URLs mean nothing on another machine"
