"""Expressions of many photographs and of clips, as tables."""
