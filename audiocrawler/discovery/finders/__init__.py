"""One mechanism a function: ``find_...(document)`` yields what it meets, and nothing for documents it cannot read."""
