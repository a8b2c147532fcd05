"""Written by make imports, never edited."""
