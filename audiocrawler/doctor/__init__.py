"""What a crawl needs of the machine, its packages and its places, looked at one by one before the crawl."""
