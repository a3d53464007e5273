"""Who comes in, and what goes in and out: whoever may ask, from where, whose it is, and where it lies."""
