"""What all rooms speak of: rows, errors, text, URLs and URIs. Imports nothing else of ours."""
