"""Make short previews of stored files, for a page that cannot reach the store."""

import sys
from base64 import b64encode
from collections.abc import Iterable, Iterator

from audiocrawler.collection.inventory import in_parallel
from audiocrawler.model.errors import AnalysisError, StoreError
from audiocrawler.report.progress import Bar
from audiocrawler.storage import Store, object_key

READERS = 4


def previews_of(store: Store, files: Iterable[tuple[str, str]], number: int) -> Iterator[tuple[str, str]]:
    """Yield (hash, preview in base64) of the ``number`` smallest hashes; ``files`` are (hash, extension).

    A file that cannot be read or decoded is skipped, with a line on standard error.
    """
    from audiocrawler.analysis.preview import preview

    def made(file: tuple[str, str]) -> tuple[str, str | None]:
        sha256, extension = file
        url = store.url_of(object_key(sha256, extension))
        try:
            with store.open_object(url) as opened:
                return sha256, b64encode(preview(opened)).decode()
        except (StoreError, AnalysisError) as error:
            sys.stderr.write(f"no preview of {url}: {error}\n")
            return sha256, None

    chosen = sorted(files)[:number]
    with Bar("previews", len(chosen)) as bar:
        for sha256, sound in in_parallel(made, chosen, READERS):
            bar.advance()
            if sound is not None:
                yield sha256, sound
