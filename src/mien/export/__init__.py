"""Models as files that other runtimes run: graphs, what describes them, and how far they are from PyTorch."""
