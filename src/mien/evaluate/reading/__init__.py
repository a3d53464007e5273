"""How well faces are read: what is measured, in which pictures, and how it suffers from poor ones."""
