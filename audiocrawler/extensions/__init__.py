"""What watches a crawl: transfers that end early, counts, log and progress."""
