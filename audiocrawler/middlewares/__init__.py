"""Middlewares that refuse or amend requests before they are sent."""
