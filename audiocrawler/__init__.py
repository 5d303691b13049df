"""One command turns a URL into a queryable, deduplicated, measured collection of audio.

The rooms in the order in which the data flows: ``config`` says what is asked for; ``frontier`` keeps the requests that
are still to be made; a page comes in through ``spiders``; ``discovery`` finds the audio in it, ``rendering`` opens it
in a browser where only scripts make its player; ``rights`` reads licences and opt-outs; ``fetch`` streams each file
to disk, politely; ``sniff`` and ``analysis`` say what it is and measure it; ``storage`` keeps the bytes under their
hash; ``warehouse`` upserts the rows; ``report`` says what became of it all; ``collection`` sends a finished
collection elsewhere, checks it, and takes down what must go.

On top are Scrapy's parts: ``scheduler``, ``middlewares``, ``browser``, ``extensions``, ``pipelines``, ``logs``,
``exports`` and ``commands``; ``crawl`` owns what they share while a crawl runs, ``records`` makes their rows. At the
ground ``model`` declares every setting, column and error, and ``settings`` wires the parts together.
"""

__version__ = "0.1.0"
