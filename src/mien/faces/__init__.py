"""Faces in photographs: read, find, align, paste back."""
