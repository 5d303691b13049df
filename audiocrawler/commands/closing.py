"""Suggest what to do after a crawl."""

from collections.abc import Iterator
from importlib.util import find_spec

from audiocrawler.crawl.exit_codes import Rest
from audiocrawler.report.messages import program
from audiocrawler.report.outlook import Outlook

SUGGESTED = {"export": "--format hf --out data/export"}
"""Command -> the options it is suggested with."""


def outlook_of(rest: Rest, *, has_files: bool) -> Outlook:
    """Return what is pending, and the commands to run next if the collection has files."""
    return Outlook(rest.waiting, rest.is_kept, tuple(_commands()) if has_files else ())


def _commands() -> Iterator[str]:
    for name, words in SUGGESTED.items():
        if find_spec(f"audiocrawler.commands.{name}"):
            yield f"{program()} {name} {words}".strip()
