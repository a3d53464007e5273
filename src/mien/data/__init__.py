"""Data on disk to batches: manifest, cache, folds, augmentation, sampler."""
