"""``scrapy crawl``, with arguments checked before anything starts, a closing table and an exit code that tells."""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from scrapy.commands.crawl import Command as ScrapyCrawlCommand
from scrapy.crawler import Crawler
from scrapy.settings import BaseSettings

from audiocrawler.browser.handler import chromium_of
from audiocrawler.commands.streams import complain, flush_output, messages_of, outlive_readers, say
from audiocrawler.config.arguments import Arguments, parse_arguments
from audiocrawler.config.settings import check_settings
from audiocrawler.crawl.crawl import new_crawl_id
from audiocrawler.crawl.exit_codes import INTERRUPTED, LOCKED, USAGE, Rest, conclusion
from audiocrawler.crawl.lifecycle import CrawlLifecycle
from audiocrawler.crawl.places import store_path, store_type, warehouse_path, warehouse_type
from audiocrawler.fetch.accounts import expired_note, read_cookies
from audiocrawler.logs import log_as_json
from audiocrawler.model.errors import ConfigurationError, LockedError
from audiocrawler.model.text import printable
from audiocrawler.rendering.chromium import HOW_TO_INSTALL
from audiocrawler.report.summary import Places, render, summarise
from audiocrawler.spiders.audio import AudioSpider


class Command(ScrapyCrawlCommand):
    """Run a spider; for ``audio`` say what came of it.

    Exit codes: 0 done, single failed files included; 2 usage or configuration; 3 every start failed, no audio found,
    or not one file came; 4 rows or requests were left behind; 5 another crawl of the same start holds the lock; 130
    interrupted.
    """

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
        super().process_options(args, opts)
        if args == [AudioSpider.name]:
            self.prepare(lambda settings: check_browser(settings, parse_arguments(opts.spargs).render))

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Run the spider named in ``args``, and say at the end of an audio crawl what came of it."""
        if args != [AudioSpider.name]:
            super().run(args, opts)
        else:
            self.crawl(AudioSpider.name, opts)

    def prepare(self, check_arguments: Callable[[BaseSettings], object]) -> None:
        """Check settings and arguments and choose the log file; what is wrong ends the command in one line."""
        try:
            assert self.settings is not None
            check_settings(self.settings)
            store_path(self.settings)
            warehouse_path(self.settings)
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
        self.crawler_process.crawl(crawler, **arguments)
        self.crawler_process.start()
        return crawler

    def _choose_log_file(self) -> None:
        """Set a log file of the crawl's own, unless one is set or there is no log: the terminal stays readable."""
        settings = self.settings
        assert settings is not None
        if settings["LOG_FILE"] or not settings.getbool("LOG_ENABLED") or not settings["AUDIO_LOG_DIR"]:
            return
        folder = Path(settings["AUDIO_LOG_DIR"])
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=folder):
                settings.set("LOG_FILE", str(folder / f"{new_crawl_id(None)}.log"), priority="cmdline")
        except OSError as error:
            raise ConfigurationError(f"AUDIO_LOG_DIR={folder}: cannot be written ({error.strerror})") from error

    def _has_failed(self) -> bool:
        return bool(self.crawler_process and self.crawler_process.bootstrap_failed)

    def _log_hint(self) -> str:
        log = self.settings["LOG_FILE"] if self.settings else None
        return f"{log} tells why" if log else "its log tells why"

    def failure_to_start(self, crawler: Crawler) -> int | None:
        """Say why a crawl could not run, and return the exit code for that; None if it ran."""
        lifecycle = crawler.get_extension(CrawlLifecycle) if not self._has_failed() else None
        if lifecycle is None:
            print(f"scrapy: error: the crawl could not start; {self._log_hint()}", file=sys.stderr)
            return 1
        error = lifecycle.configuration_error
        if error is not None:
            complain(error)
            return LOCKED if isinstance(error, LockedError) else USAGE
        return None

    def _conclude(self, crawler: Crawler) -> int:
        if (code := self.failure_to_start(crawler)) is not None:
            return code
        lifecycle = crawler.get_extension(CrawlLifecycle)
        assert lifecycle is not None
        stats = crawler.stats.get_stats()
        assert self.settings is not None
        places = _places(self.settings)
        print(printable(render(summarise(stats), places)), file=messages_of(self.settings))
        if unrendered := stats.get("browser/missing"):
            print(f"{unrendered} pages need a browser: {HOW_TO_INSTALL}", file=sys.stderr)
        unwritten = flush_output()
        rest = lifecycle.crawl.rest if lifecycle.crawl else Rest()
        rest = replace(rest, left_behind=rest.left_behind or unwritten)
        code, failure = conclusion(stats, stats.get("finish_reason"), rest)
        if failure:
            say(failure if code == INTERRUPTED else f"scrapy: error: {failure}", sys.stderr)
        return code


def refuse(error: ConfigurationError) -> NoReturn:
    """Say in one line what is wrong with the arguments or settings, and end with the exit code for that."""
    complain(error)
    raise SystemExit(USAGE)


def check_browser(settings: BaseSettings, render: str) -> None:
    """Raise ConfigurationError where pages must be rendered and cannot be, or AUDIO_CHROMIUM names no program."""
    if render == "always" or (render == "auto" and settings["AUDIO_CHROMIUM"]):
        chromium_of(settings)


def notes(settings: BaseSettings) -> Iterator[str]:
    """Yield what a user should know before the crawl starts."""
    if not settings["AUDIO_CONTACT"]:
        yield "no AUDIO_CONTACT is set: give a URL or an address, so that sites can reach you"
    if note := expired_note(read_cookies(settings["AUDIO_COOKIES"])):
        yield note
    if store_type(settings).is_local and not warehouse_type(settings).is_local:
        yield "AUDIO_STORE is on this machine and AUDIO_WAREHOUSE is not: its URLs mean nothing on another machine"


def _places(settings: BaseSettings) -> Places:
    store, warehouse = settings["AUDIO_STORE"], settings["AUDIO_WAREHOUSE"]
    return Places(store, warehouse, settings["LOG_FILE"], warehouse_type(settings).query_command(warehouse))
