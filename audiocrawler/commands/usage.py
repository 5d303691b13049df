"""How a command is called: by which program, and what is said of words that it cannot take."""

import argparse
import re
import sys
from difflib import get_close_matches
from pathlib import Path
from typing import NoReturn

from scrapy.exceptions import UsageError

from audiocrawler.model.text import mask_text, printable

PROGRAM = "audiocrawler"


def program() -> str:
    """Return the name of the program that was called: ``audiocrawler``, or else ``scrapy``."""
    return PROGRAM if sys.argv and Path(sys.argv[0]).name == PROGRAM else "scrapy"


def as_called(message: str) -> str:
    """Return a message that names arguments as they are given to the program that was called."""
    if program() != PROGRAM:
        return message
    return re.sub(r"-a (\w+)(=?)", lambda match: f"--{match[1]}{' ' if match[2] else ''}", message)


def speak_plainly(parser: argparse.ArgumentParser) -> None:
    """Have the help name the program that was called, and wrong usage told in one line."""
    usage = (parser.usage or "").replace("scrapy", program(), 1)
    parser.usage = usage
    parser.formatter_class = argparse.HelpFormatter  # Scrapy's takes a line that ends with a colon for a heading
    command = " ".join(usage.split()[:2])

    def error(message: str) -> NoReturn:
        line = f"{program()}: error: {message}; see `{command} --help`"
        sys.stderr.write(f"{printable(mask_text(line))}\n")
        raise SystemExit(2)

    parser.error = error  # type: ignore[method-assign]


def refuse_options(args: list[str], known: list[str]) -> None:
    """Raise UsageError for an option among the words that argparse has left, and name the one that may be meant."""
    for word in args:
        if word.startswith("-") and word != "-":
            name = word.partition("=")[0]
            near = get_close_matches(name, known, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise UsageError(f"{name}: no such option{hint}")


def refuse_words(args: list[str]) -> None:
    """Raise UsageError for any word, where a command takes options only."""
    refuse_options(args, [])
    if args:
        raise UsageError(f"{args[0]}: is no option, and nothing else is taken")
