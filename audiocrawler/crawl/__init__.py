"""The resources of a running crawl, and its lifecycle within Scrapy."""
