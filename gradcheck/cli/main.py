"""The group of commands, and what becomes of an exception."""

import sys
from collections.abc import Iterator, Mapping
from importlib import import_module

import click

COMMANDS = (
    "cache",
    "check",
    "compare",
    "completion",
    "explain",
    "new",
    "ops",
    "record",
    "replay",
    "run",
    "schema",
    "score",
    "selftest",
)
"""Each is what bears its name in the module of this package that bears it too."""
FAULT, NOT_RUN, INTERRUPTED = 3, 2, 130  # `status.Exit`, whose module is too heavy to load for `--help`


class _Commands(Mapping[str, click.Command]):
    """The commands by name, each of which is loaded when it is asked for: few starts need more than one."""

    def __getitem__(self, name: str) -> click.Command:
        if name not in COMMANDS:
            raise KeyError(name)
        command: click.Command = getattr(import_module(f"gradcheck.cli.{name}"), name)
        return command

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


@click.group(commands=_Commands(), context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="gradcheck")
def cli() -> None:
    """Find out which gradient is wrong.

    Cases are expressions in YAML. gradcheck differentiates each with its own NumPy engine and with TensorFlow's
    GradientTape, and shows per variable where they differ.

    \b
    gradcheck new my_case.yaml         start a case
    gradcheck compare my_case.yaml     compare its gradients
    gradcheck compare cases/           compare a folder of them

    Exit status: 0 all agree, 1 some gradient disagrees, 2 could not run, 3 a fault of gradcheck or a crash of an
    engine, 130 interrupted.
    """


def main() -> None:
    """Run the command line and end the process with its status; no traceback reaches the user."""
    try:
        status = cli.main(prog_name="gradcheck", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        status = NOT_RUN
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        status = INTERRUPTED
    except Exception as error:
        status = _fault(error)
    sys.exit(status if isinstance(status, int) else 0)


def _fault(error: Exception) -> int:
    """Tell the user in one line, and keep the traceback for the report of the fault."""
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile("w", prefix="gradcheck-fault-", suffix=".log", delete=False) as log:
        traceback.print_exception(error, file=log)
    click.echo(
        f"gradcheck itself is at fault: {type(error).__name__}: {error}\nPlease report it with {log.name}", err=True
    )
    return FAULT
