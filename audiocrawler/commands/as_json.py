"""``--json``: print one object on standard output; notes go to standard error."""

import argparse
import json
from collections.abc import Mapping
from typing import Any

from audiocrawler.model.text import mask_text


def add_json_option(parser: argparse.ArgumentParser) -> None:
    """Add the option, which sets ``opts.json``."""
    parser.add_argument("--json", action="store_true", help="print one JSON object, for programs")


def say_json(result: Mapping[str, Any]) -> None:
    """Print the result on one line of ASCII, without secrets."""
    print(json.dumps(_masked(result), default=str))


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, Mapping):
        return {name: _masked(each) for name, each in value.items()}
    return [_masked(each) for each in value] if isinstance(value, list | tuple) else value
