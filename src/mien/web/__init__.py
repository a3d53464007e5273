"""The page on localhost: what the shell's verbs do to a photograph, to be seen and touched."""
