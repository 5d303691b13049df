"""``scrapy doctor``: check what a crawl needs of this machine, and name the command that repairs it."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict

from scrapy.commands import ScrapyCommand

from audiocrawler.commands.as_json import add_json_option
from audiocrawler.commands.usage import refuse_words, use_plain_errors
from audiocrawler.crawl.exit_codes import DONE, INTERRUPTED, USAGE
from audiocrawler.doctor.check import Check, State
from audiocrawler.model.text import mask_text, printable
from audiocrawler.report.messages import say, say_json, survive_closed_pipes
from audiocrawler.report.outlook import in_red


class Command(ScrapyCommand):
    """Check packages, machine, store, warehouse and network, with the settings of a crawl.

    Exit codes: 0 a crawl can start, 2 something is broken, 130 interrupted.
    """

    requires_project = True
    requires_crawler_process = False

    def short_desc(self) -> str:
        """Return what ``scrapy`` lists."""
        return "Check the set-up: a line a check, with the command that mends it"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add --json."""
        super().add_options(parser)
        use_plain_errors(parser)
        add_json_option(parser)

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Run the checks in order, and print each result at once."""
        survive_closed_pipes()
        refuse_words(args)
        assert self.settings is not None
        from audiocrawler.doctor.examine import examine  # Scrapy imports all commands whenever it starts

        checks: list[Check] = []
        try:
            for check in examine(self.settings):
                checks.append(check)
                if not opts.json:
                    _say(check)
        except KeyboardInterrupt:
            say("interrupted", sys.stderr)
            self.exitcode = INTERRUPTED
            return
        _conclude(checks, is_json=opts.json)
        self.exitcode = USAGE if _number(checks, State.BROKEN) else DONE


def _say(check: Check) -> None:
    line = printable(mask_text(check.line()))
    print(in_red(line, sys.stdout) if check.state is State.BROKEN else line, flush=True)


def _conclude(checks: Sequence[Check], *, is_json: bool) -> None:
    number = {state.value: _number(checks, state) for state in State}
    if is_json:
        say_json({"checks": [asdict(each) for each in checks], **number})
    else:
        say(", ".join(f"{count} {state}" for state, count in number.items()))


def _number(checks: Sequence[Check], state: State) -> int:
    return sum(check.state is state for check in checks)
