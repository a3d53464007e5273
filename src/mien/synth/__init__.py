"""The face studio: procedural people, rendered with exact labels."""
