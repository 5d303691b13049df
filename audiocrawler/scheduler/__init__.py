"""The glue between Scrapy and the frontier: what is asked of it, what is told to it, and which crawl it is."""
