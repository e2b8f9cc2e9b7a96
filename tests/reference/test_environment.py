"""What answers depend on beside the question."""

from importlib.metadata import PackageNotFoundError

import pytest

from gradcheck.reference import environment as module
from gradcheck.reference.environment import NoTensorFlow, environment, named
from gradcheck.reference.kept import kept_reference
from gradcheck.reference.worker import ReferenceWorker


def test_it_is_the_same_every_time() -> None:
    assert environment() == environment()
    assert environment().isascii()


@pytest.mark.parametrize("name", ["TF_ENABLE_ONEDNN_OPTS", "CUDA_VISIBLE_DEVICES", "XLA_FLAGS"])
def test_settings_of_tensorflow_are_in_it(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    before = environment()
    monkeypatch.setenv(name, "of this test")
    assert environment() != before


@pytest.mark.parametrize("name", ["EDITOR", "TF_NUM_INTRAOP_THREADS"])
def test_other_settings_are_not(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    before = environment()
    monkeypatch.setenv(name, "3")
    assert environment() == before


@pytest.mark.parametrize("changed", ["tensorflow", "keras", "numpy"])
def test_versions_are_in_it(monkeypatch: pytest.MonkeyPatch, changed: str) -> None:
    before, real = environment(), module.version
    monkeypatch.setattr(module, "version", lambda name: "99.0" if name == changed else real(name))
    assert environment() != before
    assert named()[changed] == "99.0"


def test_without_tensorflow_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(module, "version", missing)
    with pytest.raises(NoTensorFlow, match="tensorflow"):
        environment()
    assert kept_reference(ReferenceWorker) is None
