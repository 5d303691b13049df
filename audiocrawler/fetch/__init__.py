"""Download pages and audio politely: the HTTP client and the Scrapy components around it."""
