"""Training: one loop, and a run from the words somebody typed."""
