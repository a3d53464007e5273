"""Where the file of a name lies."""
