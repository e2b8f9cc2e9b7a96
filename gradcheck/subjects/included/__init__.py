"""Known libraries in the subject's place, each with the table of its own functions."""
