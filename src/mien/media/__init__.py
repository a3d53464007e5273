"""Photographs and clips, from and to their files, and what they say of themselves."""
