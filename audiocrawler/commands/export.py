"""``scrapy export``: makes a training set of the collection, or says whether one may stay as it is."""

import argparse
import re
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from scrapy.commands import ScrapyCommand
from scrapy.settings import BaseSettings

from audiocrawler.collection import require_present
from audiocrawler.commands.as_json import add_json_option
from audiocrawler.commands.collection import CollectionCommand
from audiocrawler.commands.usage import use_plain_errors
from audiocrawler.crawl.places import store_options, store_path, warehouse_options, warehouse_path
from audiocrawler.export.columns import TRANSCRIPT
from audiocrawler.export.core import KEPT, OPEN, SPLIT_COLUMNS, Sound, Spec, check_sound, mono_unless_told, shares_of
from audiocrawler.export.formats import FORMATS, formats, require
from audiocrawler.export.push import check_repository
from audiocrawler.export.shards import Part
from audiocrawler.model.errors import ConfigurationError
from audiocrawler.model.settings import AudioSettings
from audiocrawler.rights.licences import wanted_licences

if TYPE_CHECKING:
    from audiocrawler.collection.exporting import Export

TEXTS = ("title", "description", "link_text", "page_title", TRANSCRIPT)


class Command(CollectionCommand, ScrapyCommand):
    """Make a training set with its card, attribution and splits; run it again after whatever stopped it.

    Exit codes: 0 done, 2 usage or configuration, 3 no file matches, 4 files that had to be in the set are not, or
    --check has found something; 5 the same export is running; 130 interrupted.
    """

    def short_desc(self) -> str:
        """Return what is listed."""
        return "Make a training set of the collection, with licences and attribution"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add what the set is to be."""
        super().add_options(parser)
        use_plain_errors(parser)
        add = parser.add_argument
        add("--format", choices=FORMATS, default="hf", help="layout of the set (default: hf, Parquet with the audio)")
        add("--out", metavar="DIR", help="folder of the set (default: data/export/FORMAT)")
        add("--where", metavar="SQL", default="", help="files of the view `files` that this holds for")
        add(
            "--licenses", metavar="LIST", help="files stated to be under one of these; open: CC0, PDDL, CC-BY, CC-BY-SA"
        )
        add("--with", metavar="LIST", dest="kept", help=f"keep what is left out otherwise: {', '.join(KEPT)}")
        add("--split", metavar="N/N/N", default="", help="percentages of train, validation and test, such as 90/5/5")
        add("--split-by", choices=SPLIT_COLUMNS, default="page", help="what is never divided (default: page)")
        add("--audio", choices=("original", "flac", "wav", "opus"), default="original", help="as it is, or converted")
        add("--rate", type=int, metavar="HZ", help="sample rate of the converted audio")
        mono = "mix the converted audio down to one channel, as is done for NeMo anyway"
        add("--mono", action=argparse.BooleanOptionalAction, help=mono)
        add("--text", choices=TEXTS, default="", help="column, or the stored transcript, that becomes the column text")
        add("--shard", metavar="N/M", default="1/1", help="only the Nth of M parts of the work")
        add("--push", metavar="ORG/NAME", help="upload the set to the Hugging Face Hub, as a private dataset")
        add(
            "--check",
            metavar="DIR",
            help="say whether a set may stay as it is: taken down, opted out, relicensed, gone",
        )
        add_json_option(parser)

    def prepared(self, settings: BaseSettings, opts: argparse.Namespace, opened: ExitStack) -> Callable[[], int]:
        """Check the options; the rest is done by a program of its own."""
        from audiocrawler.collection.exporting import replace_this_process

        require_present(warehouse_path(settings), settings["AUDIO_WAREHOUSE"], "AUDIO_WAREHOUSE")
        export = self._checked(settings, opts)
        if opts.profile:  # which would not outlive this process
            return export.prepared(opened)
        return partial(replace_this_process, export)

    def _checked(self, settings: BaseSettings, opts: argparse.Namespace) -> "Export":
        from audiocrawler.collection.exporting import Export, Places  # Scrapy imports all commands whenever it starts

        places = Places(
            settings["AUDIO_STORE"], store_options(settings), settings["AUDIO_WAREHOUSE"], warehouse_options(settings)
        )
        if opts.check is not None:
            return Export(places, opts.json, check=Path(opts.check))
        spec, part = _spec(opts), _part(opts.shard)
        if opts.push:
            check_repository(opts.push, part)
        layout = formats(lambda: iter(()))[spec.format]
        require(layout.needs, "export", f"--format {spec.format}")
        if layout.has_audio:
            require_present(store_path(settings), settings["AUDIO_STORE"], "AUDIO_STORE")
        contact = AudioSettings.of(settings).contact
        about = {"contact": contact} if contact else {}
        out = Path(opts.out or f"data/export/{spec.format}")
        return Export(places, opts.json, spec=spec, part=part, out=out, push=opts.push, about=about)


def _spec(opts: argparse.Namespace) -> Spec:
    mono = mono_unless_told(opts.format, opts.audio) if opts.mono is None else opts.mono
    sound = Sound(opts.audio, opts.rate, mono)
    check_sound(sound)
    names, kept = _names(opts.licenses), _names(opts.kept)
    wanted_licences(sorted(names - {OPEN}), "--licenses ")
    for name in sorted(kept - KEPT.keys()):
        raise ConfigurationError(f"--with {name}: choose from {', '.join(KEPT)}")
    shares = shares_of(opts.split) if opts.split else (100,)
    return Spec(opts.format, opts.where.strip(), names, kept, shares, opts.split_by, sound, opts.text)


def _names(given: str | None) -> frozenset[str]:
    return frozenset(filter(None, re.split(r"[,\s]+", given or "")))


def _part(text: str) -> Part:
    found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise ConfigurationError(f"--shard {text}: write which part of how many, from 1/100 to 100/100")
    return Part(int(found[1]), int(found[2]))
