"""The parts that find faces: where they may be, whether they are some, and where their eyes are."""
