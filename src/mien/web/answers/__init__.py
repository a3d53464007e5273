"""What the page answers: to its own scripts, and to anybody's."""
