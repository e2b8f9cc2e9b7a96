"""What answers of the reference depend on beside the question; told without importing TensorFlow."""

import hashlib
import json
import os
import platform
from functools import cache
from pathlib import Path

from gradcheck.installed import version

TENSORFLOW = "tensorflow"
LIBRARIES = (TENSORFLOW, "keras", "numpy")
"""Whose versions change answers."""
INTERPRETER = ("tensorflow.py", "drawing.py", "fingerprint.py", "encoding.py")
"""The modules here that carry out programs in TensorFlow, name what was asked, and write down what was answered."""
SETTINGS = ("TF_", "CUDA_VISIBLE_DEVICES", "XLA_FLAGS")
"""Beginnings of the names of environment variables by which TensorFlow computes otherwise."""
THREADS = "_THREADS"
"""The end of those that say only how many threads it uses, which depends on the machine where none is set."""


class NoTensorFlow(Exception):
    """TensorFlow is not installed, or not in a way that tells its version."""


def versions() -> dict[str, str]:
    """The versions of TensorFlow and of what it computes with. Raises `NoTensorFlow`."""
    try:
        return {name: version(name) for name in LIBRARIES}
    except ModuleNotFoundError as error:
        raise NoTensorFlow(str(error)) from None


def named() -> dict[str, str]:
    """The environment for people to read: versions, and the kind of machine. Raises `NoTensorFlow`."""
    machine = f"{platform.system()} {platform.machine()}"
    return {**versions(), "gradcheck": version("gradcheck"), "python": platform.python_version(), "platform": machine}


@cache
def interpreter() -> str:
    """A digest of the code by which programs are carried out in TensorFlow and answers kept."""
    digest = hashlib.sha256()
    for name in INTERPRETER:
        digest.update(Path(__file__).with_name(name).read_bytes())
    return digest.hexdigest()


def environment() -> str:
    """Everything beside the question, in one line. Raises `NoTensorFlow`."""
    settings = {
        name: value
        for name, value in sorted(os.environ.items())
        if name.startswith(SETTINGS) and not name.endswith(THREADS)
    }
    machine = [platform.system(), platform.machine()]
    return json.dumps([versions(), machine, settings, interpreter()])
