"""One command turns a URL into a queryable, deduplicated, measured collection of audio.

The packages read in the order in which the data flows: ``arguments`` say what is asked for; ``frontier`` keeps the
requests that are still to be made; a page comes in through ``spiders``; ``discovery`` finds the audio in it,
``rendering`` opens it in a browser where only scripts make its player; ``rights`` reads licences and opt-outs;
``download`` streams each file to disk, politely; ``analysis`` measures it in worker processes; ``storage`` keeps the
bytes under their hash; ``warehouse`` upserts the rows; ``report`` says what became of it all; ``collection`` sends a
finished collection elsewhere, checks it, and takes down what must go.

On top is thin Scrapy glue: ``scheduling``, ``pipelines``, ``middlewares``, ``extensions``, ``browser`` and
``commands``; ``crawl`` owns what they share while a crawl runs. At the bottom ``items`` declares every column,
``errors`` every error, ``settings`` every default.
"""

__version__ = "0.1.0"
