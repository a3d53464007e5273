"""The open benchmark: its sets, parts, record and page."""
