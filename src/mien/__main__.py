"""`python -m mien`: the shell's verbs."""

from mien.cli import main

if __name__ == "__main__":
    main()
