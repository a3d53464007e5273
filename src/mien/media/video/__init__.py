"""Clips from and to their files, a frame at a time."""
