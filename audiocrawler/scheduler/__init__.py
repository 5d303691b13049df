"""Connect Scrapy to the frontier: the scheduler, its request format, and the rate limits shared by workers."""
