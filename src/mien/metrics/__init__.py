"""Pure functions on arrays that measure images and codes."""
