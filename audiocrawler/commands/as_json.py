"""``--json``: one object on standard output in place of lines for people; what is to be known besides is on stderr."""

import argparse

from audiocrawler.report.messages import say_json

__all__ = ("add_json_option", "say_json")


def add_json_option(parser: argparse.ArgumentParser) -> None:
    """Add the option; ``opts.json`` says whether it is given."""
    parser.add_argument("--json", action="store_true", help="print one JSON object, for programs")
