"""Streams audio to disk, politely: Scrapy components, one a file, and the folder that they write to."""
