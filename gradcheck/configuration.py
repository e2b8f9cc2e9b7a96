"""What a project says of itself in its `pyproject.toml`; light enough to be asked at every start."""

from pathlib import Path


class NotFound(Exception):
    """What was given names no engine, or one that cannot be loaded; the message says why and what would."""


def configured(folder: Path) -> str | None:
    """The engine that `[tool.gradcheck]` names in the `pyproject.toml` of `folder` or the nearest folder above it."""
    for each in (folder, *folder.parents):
        file = each / "pyproject.toml"
        if file.is_file():
            import tomllib  # only here: most folders have no such file

            try:
                table = tomllib.loads(file.read_text(encoding="utf-8"))
            except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
                raise NotFound(f"{file} cannot be read: {error}") from None
            engine = table.get("tool", {}).get("gradcheck", {}).get("engine")
            if engine is not None and not isinstance(engine, str):
                raise NotFound(f"{file}: [tool.gradcheck] engine is {engine!r}, not a string")
            return engine
    return None
