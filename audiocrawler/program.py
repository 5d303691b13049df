"""``audiocrawler``: run the commands of this package in any folder.

``audiocrawler crawl URL...`` is ``scrapy crawl audio URL...``; the other commands have the same names in ``scrapy``.
"""

import os
import sys
from difflib import get_close_matches
from importlib import import_module
from pkgutil import iter_modules

from scrapy.cmdline import execute
from scrapy.commands import ScrapyCommand
from scrapy.settings import Settings

from audiocrawler import __version__, commands
from audiocrawler.report.messages import PROGRAM

SETTINGS = "audiocrawler.settings"


def main() -> None:
    """Run the command named by the first word; a ``scrapy.cfg`` of another project is ignored."""
    words = sys.argv[1:]
    if not words or words[0] in {"-h", "--help", "help"}:
        print(_help())  # noqa: T201
    elif words[0] == "--version":
        print(f"{PROGRAM} {__version__}")  # noqa: T201
    else:
        _run(words[0], words[1:])


def _run(command: str, words: list[str]) -> None:
    known = _commands()
    if command not in known:
        near = get_close_matches(command, known, 1)
        hint = f"did you mean {near[0]}?" if near else f"choose from {', '.join(known)}"
        sys.stderr.write(f"{PROGRAM}: error: {command}: no such command; {hint}\n")
        raise SystemExit(2)
    os.environ["SCRAPY_SETTINGS_MODULE"] = SETTINGS  # tells Scrapy that it is inside a project
    settings = Settings()
    settings.setmodule(SETTINGS, priority="project")
    spider = ["audio"] if command == "crawl" else []
    sys.argv = [PROGRAM, command, *spider, *words]
    execute(settings=settings)


def _commands() -> dict[str, ScrapyCommand]:
    modules = {each.name: import_module(f"{commands.__name__}.{each.name}") for each in iter_modules(commands.__path__)}
    return {name: module.Command() for name, module in sorted(modules.items()) if hasattr(module, "Command")}


def _help() -> str:
    lines = (f"  {name:<9} {command.short_desc()}" for name, command in _commands().items())
    return "\n".join(
        [
            f"Usage: {PROGRAM} COMMAND [options]",
            "",
            *lines,
            "",
            f"`{PROGRAM} COMMAND --help` lists the options of a command, `{PROGRAM} --version` prints the version.",
        ]
    )


if __name__ == "__main__":
    main()
