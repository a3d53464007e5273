"""What several corpora need to be read."""
