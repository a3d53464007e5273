"""What the importers share: the sample that they yield, and how folders, clips, FACS codes and crops are read."""
