"""Protocols: a model and data in, tables and figures out."""
