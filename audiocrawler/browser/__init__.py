"""Scrapy's way to the browser: one for a crawl, with our way of looking at a page."""
