"""What a running crawl owns, and its life within Scrapy."""
