"""The finders: each ``find_...(document)`` yields candidates of one mechanism, and nothing for other documents."""
