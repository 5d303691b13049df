"""``scrapy crawl`` with arguments checked up front, a summary table and meaningful exit codes."""

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
from typing import Literal, NoReturn, get_args, get_origin

from pydantic import BaseModel
from scrapy import Spider, signals
from scrapy.commands.crawl import Command as ScrapyCrawlCommand
from scrapy.crawler import Crawler
from scrapy.exceptions import UsageError
from scrapy.settings import BaseSettings

from audiocrawler.browser.handler import Browser, chromium_of
from audiocrawler.commands.closing import outlook_of
from audiocrawler.commands.closing_report import closing_report
from audiocrawler.commands.streams import flush_output, messages_of
from audiocrawler.commands.usage import refuse_options, use_plain_errors
from audiocrawler.config.arguments import Arguments, parse_arguments
from audiocrawler.config.scrapy_settings import check_dictionaries, check_scrapy_parts, check_scrapy_values
from audiocrawler.config.settings import check_settings
from audiocrawler.crawl.crawl import new_crawl_id
from audiocrawler.crawl.exit_codes import INTERRUPTED, LOCKED, USAGE, Rest, conclusion
from audiocrawler.crawl.lifecycle import CrawlLifecycle, opened_crawl_of
from audiocrawler.crawl.log_file import LogFile
from audiocrawler.crawl.places import store_path, store_type, warehouse_path, warehouse_type
from audiocrawler.fetch.accounts import expired_note, read_cookies
from audiocrawler.logs import log_as_json
from audiocrawler.model.errors import ConfigurationError, LockedError
from audiocrawler.model.settings import AudioSettings, user_agent
from audiocrawler.model.text import mask_text, one_line, printable
from audiocrawler.rendering.chromium import HOW_TO_INSTALL
from audiocrawler.report.messages import PROGRAM, print_error, program, say, survive_closed_pipes
from audiocrawler.report.outlook import in_red, marked
from audiocrawler.report.summary import Places, format_summary, summarise
from audiocrawler.spiders.audio import AudioSpider

logger = logging.getLogger(__name__)
MAX_SHOWN = 500
"""Characters of another library's error that a message quotes."""


class Command(ScrapyCrawlCommand):
    """Run a spider; for ``audio`` print a summary.

    Exit codes: 0 done, even if some files failed; 2 usage or configuration; 3 every start failed, no audio was found,
    or no file could be downloaded; 4 rows or requests were left behind; 5 another crawl of the same start is running;
    130 interrupted.
    """

    arguments: type[BaseModel] = Arguments
    """The spider's arguments: each field is an option, and can be given after -a."""
    _failure: BaseException | None = None
    """The exception that ended the crawl before it started."""
    _crawl_id: str | None = None
    """The id of a new crawl; one that is resumed keeps its own."""
    _is_scheduled: bool = False
    """Whether Scrapyd has started it, which passes its job's id."""
    _log_file: LogFile | None = None
    """The log file in AUDIO_LOG_DIR, unless the user has named another."""

    def syntax(self) -> str:
        """Return the usage after the command's name."""
        return "[options] URL..." if program() == PROGRAM else "[options] SPIDER [URL...]"

    def short_desc(self) -> str:
        """Return the line for the list of commands."""
        return "Find, download and measure the audio of pages and sites"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add an option for each of the spider's arguments."""
        super().add_options(parser)
        use_plain_errors(parser)
        group = parser.add_argument_group("Spider arguments", "each can also be given as -a NAME=VALUE")
        for name, field in self.arguments.model_fields.items():
            choices = get_args(field.annotation) if get_origin(field.annotation) is Literal else (name.upper(),)
            help_text = (field.description or "").replace("%", "%%")
            group.add_argument(f"--{name}", metavar="|".join(choices), help=help_text, action="append")

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        """Check the spider's arguments, and choose the log file before the first line is logged."""
        survive_closed_pipes()
        self._check_given(opts, is_ours=args in ([AudioSpider.name], []))
        super().process_options(args, opts)
        refuse_options(args, [f"--{name}" for name in self.arguments.model_fields])
        given = {name: value for name in self.arguments.model_fields if (value := getattr(opts, name))}
        self.take_words(args, given)
        for name, values in given.items():
            if len(values) > 1 and name != "url":
                raise UsageError(f"--{name} is given {len(values)} times; give it once")
            if name in opts.spargs:
                raise UsageError(f"{name} is given both as --{name} and after -a; give it once")
            opts.spargs[name] = " ".join(values)
        self.check_spider(args, opts)

    def take_words(self, args: list[str], given: dict[str, list[str]]) -> None:
        """Take the words after the audio spider's name as start URLs; no other spider has these options."""
        if args[:1] == [AudioSpider.name]:
            if args[1:]:
                given["url"] = [*args[1:], *given.get("url", [])]
            del args[1:]
        elif args and given:
            raise UsageError(f"--{next(iter(given))} is an option of the spider audio; for {args[0]} use -a NAME=VALUE")

    def check_spider(self, args: list[str], opts: argparse.Namespace) -> None:
        """Check the audio spider's arguments."""
        if args == [AudioSpider.name]:
            self.prepare(lambda settings: check_browser(settings, parse_arguments(opts.spargs).render), opts.spargs)

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Run the spider named in ``args``; print a summary after an audio crawl."""
        if args != [AudioSpider.name]:
            super().run(args, opts)
        else:
            self.crawl(AudioSpider.name, opts)

    def _check_given(self, opts: argparse.Namespace, *, is_ours: bool) -> None:
        """Check options before Scrapy parses them, while errors can still be described."""
        assert self.settings is not None
        try:
            check_dictionaries(self.settings, opts.set)
            if is_ours:
                check_repeated(opts.spargs)
        except ConfigurationError as error:
            refuse(error)

    def prepare(self, check_arguments: Callable[[BaseSettings], object], arguments: dict[str, str]) -> None:
        """Check settings and arguments, and choose the log file; an error ends the command with one line."""
        try:
            assert self.settings is not None
            check_scrapy_values(self.settings)
            add_contact(self.settings, check_settings(self.settings).contact)
            store_path(self.settings)
            warehouse_path(self.settings)
            check_arguments(self.settings)
            self._is_scheduled = "_job" in arguments
            self._crawl_id = new_crawl_id(arguments.get("_job"))
            self._choose_log_file(self._crawl_id)
            log_as_json(self.settings)
        except ConfigurationError as error:
            refuse(error)

    def crawl(self, spider_name: str, opts: argparse.Namespace) -> Crawler:
        """Run one of our spiders, print the summary, set the exit code, and return the crawler."""
        crawler = self.launch(spider_name, opts.spargs)
        self.exitcode = self._conclude(crawler)
        return crawler

    def launch(self, spider_name: str, arguments: dict[str, str]) -> Crawler:
        """Run one of our spiders to its end, and return the crawler."""
        assert self.crawler_process is not None
        assert self.settings is not None
        for note in notes(self.settings):
            say(note, sys.stderr)
        crawler = self.crawler_process.create_crawler(spider_name)
        try:
            check_scrapy_values(crawler.settings)  # these include the spider's custom_settings
            check_scrapy_parts(crawler.settings)
            check_settings(crawler.settings)
        except ConfigurationError as error:
            refuse(error)
        crawler.signals.connect(self._rename_log_file, signal=signals.spider_opened)
        running = self.crawler_process.crawl(crawler, **{**arguments, "_job": self._crawl_id})
        self.crawler_process.start()
        if isinstance(running, asyncio.Task) and running.done() and not running.cancelled():
            self._failure = running.exception()
        return crawler

    def _choose_log_file(self, crawl_id: str) -> None:
        """Set a log file for the crawl, unless one is set or logging is off, to keep the terminal readable."""
        settings = self.settings
        assert settings is not None
        folder = AudioSettings.of(settings).log_dir
        if not settings.getbool("LOG_ENABLED"):
            return
        if settings["LOG_FILE"]:
            _check_log_file(Path(settings["LOG_FILE"]))
        elif folder:
            _make_log_dir(folder)
            self._log_file = LogFile(folder, crawl_id)
            settings.set("LOG_FILE", str(self._log_file.path), priority="cmdline")

    def _rename_log_file(self, spider: Spider) -> None:
        """Rename the log file if the crawl is resumed; runs before the settings are recorded."""
        crawl = opened_crawl_of(spider.crawler)
        if self._log_file is None or crawl is None:
            return
        assert self.settings is not None
        self._log_file.rename(crawl.crawl_id)
        for settings in (self.settings, spider.crawler.settings):
            _replace_setting(settings, "LOG_FILE", str(self._log_file.path))

    def _has_failed(self) -> bool:
        return bool(self.crawler_process and self.crawler_process.bootstrap_failed)

    def _log_hint(self) -> str:
        log = self.settings["LOG_FILE"] if self.settings else None
        return f"see {log}" if log else "see the log"

    def failure_to_start(self, crawler: Crawler) -> int | None:
        """Print why a crawl could not run, and return its exit code; None if it ran."""
        lifecycle = crawler.get_extension(CrawlLifecycle) if not self._has_failed() else None
        if lifecycle is None:
            logger.error("the crawl could not start", exc_info=self._failure)
            print_error(f"the crawl could not start: {one_line(str(self._failure), MAX_SHOWN)}; {self._log_hint()}")
            return USAGE
        error = lifecycle.configuration_error
        if error is not None:
            print_error(error)
            return LOCKED if isinstance(error, LockedError) else USAGE
        return None

    def _conclude(self, crawler: Crawler) -> int:
        if (code := self.failure_to_start(crawler)) is not None:
            return code
        lifecycle = crawler.get_extension(CrawlLifecycle)
        assert lifecycle is not None
        stats = crawler.stats.get_stats()
        assert self.settings is not None
        places = replace(
            _places(self.settings), report=closing_report(crawler, self.settings, is_scheduled=self._is_scheduled)
        )
        rest = lifecycle.crawl.rest if lifecycle.crawl else Rest()
        summary, to = summarise(stats), messages_of(self.settings)
        outlook = outlook_of(rest, has_files=bool(summary.stored or summary.duplicates or summary.unchanged))
        print(marked(printable(format_summary(summary, places, outlook)), to), file=to)
        if unrendered := stats.get("browser/missing"):
            browser = crawler.get_extension(Browser)
            why = browser.missing if browser is not None else None
            say(f"{unrendered} pages need a browser: {why or HOW_TO_INSTALL}", sys.stderr)
        unwritten = flush_output()
        rest = replace(rest, left_behind=rest.left_behind or unwritten)
        code, failure = conclusion(stats, stats.get("finish_reason"), rest)
        if failure:
            line = printable(mask_text(failure if code == INTERRUPTED else f"{program()}: error: {failure}"))
            print(line if code == INTERRUPTED else in_red(line, sys.stderr), file=sys.stderr)
        return code


def refuse(error: ConfigurationError) -> NoReturn:
    """Print in one line what is wrong with the arguments or settings, and exit with USAGE."""
    print_error(error)
    raise SystemExit(USAGE)


def _replace_setting(settings: BaseSettings, name: str, value: str) -> None:
    is_frozen, settings.frozen = settings.frozen, False
    settings.set(name, value, priority="cmdline")
    settings.frozen = is_frozen


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
    """Raise ConfigurationError for an argument given twice: Scrapy would silently use the last one."""
    for name, number in Counter(each.partition("=")[0] for each in given).items():
        if number > 1:
            remedy = "separate URLs by spaces: -a url='https://... https://...'" if name == "url" else "give it once"
            raise ConfigurationError(f"-a {name}: is given {number} times; {remedy}")


def add_contact(settings: BaseSettings, contact: str | None) -> None:
    """Put a contact given with ``-s`` into the user agent, unless USER_AGENT was given, too."""
    if settings["USER_AGENT"] == user_agent(os.environ.get("AUDIO_CONTACT")):
        settings.set("USER_AGENT", user_agent(contact), priority="project")


def check_browser(settings: BaseSettings, render: str) -> None:
    """Raise ConfigurationError if pages must be rendered and cannot be, or AUDIO_CHROMIUM is not a program."""
    if render == "always" or (render == "auto" and AudioSettings.of(settings).chromium):
        chromium_of(settings)


def notes(settings: BaseSettings) -> Iterator[str]:
    """Yield warnings to print before the crawl starts."""
    if not AudioSettings.of(settings).contact:
        yield "AUDIO_CONTACT is not set: give a URL or an address, so that sites can reach you"
    if note := expired_note(read_cookies(AudioSettings.of(settings).cookies)):
        yield note
    if store_type(settings).is_local and not warehouse_type(settings).is_local:
        yield "AUDIO_STORE is on this machine, AUDIO_WAREHOUSE is not: its rows point to local files"


def _places(settings: BaseSettings) -> Places:
    store, warehouse = settings["AUDIO_STORE"], settings["AUDIO_WAREHOUSE"]
    return Places(store, warehouse, settings["LOG_FILE"], warehouse_type(settings).query_command(warehouse))
