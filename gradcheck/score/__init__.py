"""The scorecard: every operation of the table, tried by itself on each of several engines."""
