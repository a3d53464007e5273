"""What is asked of a model, arrays in and arrays out, whatever runs it."""
