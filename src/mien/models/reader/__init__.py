"""The reader: what a face shows. Action units of both sides, head, gaze and a word, of real faces it never saw.

| symbol | code |
|---|---|
| c, a face's code (Eq. 1 of docs/fields.md) | `fields/code.py:code_of` |
| the shares of words | `data/words.py:shares` |
| E | `nets.Reader` |
"""
