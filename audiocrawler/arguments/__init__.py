"""What a command asks for: where to start and as whom, and which crawl that is."""
