"""Look into archives: list what is in them, and unpack them one member at a time in bounded memory."""
