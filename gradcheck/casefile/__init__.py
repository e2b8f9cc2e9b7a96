"""Case files: YAML with positions in, checked `Case` records with every array made out."""
