"""``--json``: print one object on standard output; notes go to standard error."""

import argparse

from audiocrawler.report.messages import say_json

__all__ = ("add_json_option", "say_json")


def add_json_option(parser: argparse.ArgumentParser) -> None:
    """Add the option, which sets ``opts.json``."""
    parser.add_argument("--json", action="store_true", help="print one JSON object, for programs")
