"""The reader: what a face shows. Action units of both sides, head, gaze and a word, of real faces it never saw.

It is no paper's; fields have it inside (docs/fields.md, "The reader"), and it can be trained alone.
"""
