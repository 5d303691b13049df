"""Commands of ``scrapy``, beside and in place of its own."""
