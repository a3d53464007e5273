"""Photographs and clips with changed faces."""
