"""One command turns a URL into a queryable, deduplicated, measured collection of audio.

The packages read in the order in which the data flows: a page comes in through ``spiders``; ``discovery`` finds
the audio in it; ``rendering`` opens pages in a browser whose players only scripts make; ``download`` streams each
file to disk, politely; ``analysis`` measures it in worker processes;
``storage`` keeps the bytes under their hash; ``warehouse`` upserts the rows; ``report`` says what became of it all;
``collection`` sends a finished collection elsewhere and checks it.
``pipelines``, ``middlewares``, ``extensions``, ``browser`` and ``commands`` are thin Scrapy glue on top, and
``crawl`` owns what they share while a crawl runs. ``items`` declares every column, ``errors`` every error,
``settings`` every default.
"""

__version__ = "0.1.0"
