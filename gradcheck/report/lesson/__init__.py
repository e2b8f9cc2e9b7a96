"""An explanation in its formats: text to read, JSON for programs, and graphs to draw."""
