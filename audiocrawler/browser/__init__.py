"""Connect Scrapy to the crawl's browser."""
