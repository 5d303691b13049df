"""What a command asks for: arguments and settings, checked before the first request."""
