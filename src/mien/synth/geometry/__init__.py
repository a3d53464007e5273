"""The head's form, at rest and as action units move it."""
