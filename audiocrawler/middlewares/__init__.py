"""What is asked of no server, and what is asked differently: thin glue between a request and its crawl."""
