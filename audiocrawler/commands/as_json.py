"""``--json``: print one object on standard output; notes go to standard error."""

import argparse


def add_json_option(parser: argparse.ArgumentParser) -> None:
    """Add the option, which sets ``opts.json``."""
    parser.add_argument("--json", action="store_true", help="print one JSON object, for programs")
