"""Arguments and settings, validated before the first request."""
