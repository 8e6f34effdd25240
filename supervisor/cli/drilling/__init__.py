"""`sbctl drill`: something breaks on purpose, and what has to follow is checked."""
