"""What a crawl came to, in words: the line while it runs and the table at its end."""
