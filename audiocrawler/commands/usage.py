"""Usage errors for unknown options and words, each in one line that names the program."""

import argparse
import sys
from difflib import get_close_matches
from typing import NoReturn

from scrapy.exceptions import UsageError

from audiocrawler.model.text import mask_text, printable
from audiocrawler.report.messages import program


def use_plain_errors(parser: argparse.ArgumentParser) -> None:
    """Make the help name the program that was called, and report usage errors in one line."""
    usage = (parser.usage or "").replace("scrapy", program(), 1)
    parser.usage = usage
    parser.formatter_class = argparse.HelpFormatter  # Scrapy's formats a line that ends with a colon as a heading
    command = " ".join(usage.split()[:2])

    def error(message: str) -> NoReturn:
        line = f"{program()}: error: {message}; see `{command} --help`"
        sys.stderr.write(f"{printable(mask_text(line))}\n")
        raise SystemExit(2)

    parser.error = error  # type: ignore[method-assign]


def refuse_options(args: list[str], known: list[str]) -> None:
    """Raise UsageError for an unknown option that argparse has left among the words; suggest a similar one."""
    for word in args:
        if word.startswith("-") and word != "-":
            name = word.partition("=")[0]
            near = get_close_matches(name, known, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise UsageError(f"{name}: no such option{hint}")


def refuse_words(args: list[str]) -> None:
    """Raise UsageError for any word: the command takes options only."""
    refuse_options(args, [])
    if args:
        raise UsageError(f"{args[0]}: not an option; this command takes options only")
