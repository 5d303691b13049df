"""Progress and summary of a crawl as text: the line while it runs and the table at its end."""
