"""One mechanism a module: ``find(document)`` yields what it meets, and nothing for documents it cannot read."""
