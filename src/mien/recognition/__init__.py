"""Faces of many photographs and clips, read and told as tables."""
