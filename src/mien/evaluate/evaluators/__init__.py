"""Who reads the results: our own net, and tools from outside."""
