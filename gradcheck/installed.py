"""The engines that installed packages offer; light enough for the completion of a command line."""

from importlib.metadata import EntryPoint, entry_points

GROUP = "gradcheck.engines"
"""The group of entry points by which an installed package offers an engine."""


def engines() -> dict[str, EntryPoint]:
    """The engines that are installed, by name in alphabetical order."""
    return {each.name: each for each in sorted(entry_points(group=GROUP), key=lambda each: each.name)}
