"""``--json``: one object on standard output in place of lines for people; what is to be known besides is on stderr."""

import argparse
import json
from collections.abc import Mapping
from typing import Any

from audiocrawler.model.text import mask_text


def add_json_option(parser: argparse.ArgumentParser) -> None:
    """Add the option; ``opts.json`` says whether it is given."""
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
