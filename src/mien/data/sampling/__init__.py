"""From rows of a data set to a training step's batch: which are paired, how they are augmented, what moves in them."""
