"""What an id says, and what people call a case."""

from pathlib import Path

import pytest

from gradcheck.casefile.ids import addresses, dtype_of, file_of, name_of, seen_from, without_dtype


@pytest.mark.parametrize(
    ("case_id", "file", "name", "dtype"),
    [
        ("cases/mlp.yaml", "cases/mlp.yaml", "mlp", ""),
        ("cases/mlp.yaml[float32]", "cases/mlp.yaml", "mlp", "[float32]"),
        ("cases/many.yaml::a.b-c", "cases/many.yaml", "a.b-c", ""),
        ("cases/many.yaml::a[float64]", "cases/many.yaml", "a", "[float64]"),
        ("odd::x/[1].yaml", "odd::x/[1].yaml", "[1]", ""),
        ("two\nlines.yaml::a", "two\nlines.yaml", "a", ""),
        ("", "", "", ""),
    ],
)
def test_the_parts_of_an_id(case_id: str, file: str, name: str, dtype: str) -> None:
    assert (file_of(case_id), name_of(case_id), dtype_of(case_id)) == (file, name, dtype)
    assert without_dtype(case_id) + dtype == case_id
    assert case_id in addresses(case_id)


def test_what_a_case_may_be_called() -> None:
    short = {"c/many.yaml", "a", "c/many.yaml::a"}
    assert addresses("c/many.yaml::a") == short
    assert addresses("c/many.yaml::a[float64]") == short | {f"{each}[float64]" for each in short}
    assert "c/one.yaml::one[float64]" in addresses("c/one.yaml[float64]")


def test_an_id_as_seen_from_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert seen_from("cases/many.yaml::a[float64]", Path("ci")) == "../cases/many.yaml::a[float64]"
    assert seen_from(f"{tmp_path}/cases/many.yaml", Path()) == "cases/many.yaml"
