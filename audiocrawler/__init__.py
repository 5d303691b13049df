"""One command turns a URL into a queryable, deduplicated, measured collection of audio.

The packages in the order of the data flow: ``config`` validates arguments and settings; ``frontier`` keeps the pending
requests; ``spiders`` request and search pages; ``discovery`` finds the audio in a page, ``rendering`` opens it in a
browser if only scripts create its player; ``rights`` reads licences and opt-outs; ``fetch`` streams each file to disk,
politely; ``sniff`` and ``analysis`` identify and measure it; ``storage`` keeps the bytes under their hash;
``warehouse`` upserts the rows; ``report`` summarises the results; ``collection`` copies a finished collection
elsewhere, verifies it, and takes parts of it down.

Scrapy's components are on top: ``scheduler``, ``middlewares``, ``browser``, ``extensions``, ``pipelines``, ``logs``,
``exports`` and ``commands``; ``crawl`` owns what they share while a crawl runs, ``records`` makes their rows. At the
bottom ``model`` declares every setting, column and error, and ``settings`` wires the components together.
"""

__version__ = "0.1.0"
