"""What the head's surface looks like: skin, hair, wrinkles."""
