import csv
import json
import runpy
from pathlib import Path
from types import SimpleNamespace

import jsonschema
import numpy as np
import pytest

from probatum._errors import MissingExtraError, UsageError
from probatum.packs import export as module
from probatum.packs.encoded import encode
from probatum.packs.export import export
from probatum.packs.reader import PackReader
from probatum.packs.schema import pack_schema
from probatum.packs.writer import PackWriter

fakes = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("fakes.py"))))


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    folder = tmp_path_factory.mktemp("packs") / "pack"
    with PackWriter(folder, fakes.header()) as writer:
        for number in range(3):
            writer.append(encode(fakes.grown(number), fakes.SCHEMA))
    return PackReader(folder)


def test_the_document_has_the_seeds_keys_and_every_episode(reader, tmp_path):
    document = json.loads(export(reader, "json", tmp_path / "pack.json").read_text())
    seeds = {"pack_id", "created_at", "telemetry_config", "feature_schema", "quick_stats", "episodes"}
    assert seeds <= set(document)
    assert document["episodes"] == list(reader.iterate())
    assert document["feature_schema"]["_index"]["epoch"] == 0
    jsonschema.validate(document, pack_schema())


def test_a_pack_without_episodes_is_a_document_too(tmp_path):
    PackWriter(tmp_path / "pack", fakes.header()).close()
    out = export(PackReader(tmp_path / "pack"), "json", tmp_path / "out.json")
    assert json.loads(out.read_text())["episodes"] == []


def test_csv_has_one_row_per_observation(reader, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "TOGETHER", 2)
    out = export(reader, "csv", tmp_path / "pack.csv")
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert len(rows) == 30
    assert rows[4]["action"] == "GERMINATE_NORM"
    assert rows[9]["action"] == ""
    assert rows[0]["feature_loss_delta"] == ""
    assert float(rows[4]["feature_val_accuracy"]) == pytest.approx(40.2)
    assert [row["episode_id"] for row in rows[::10]] == ["episode_0000", "episode_0001", "episode_0002"]


def test_parquet_holds_the_same(reader, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    table = parquet.read_table(export(reader, "parquet", tmp_path / "pack.parquet"))
    found = table.column("feature_val_accuracy").to_numpy()
    index = reader.feature_names.index("val_accuracy")
    assert np.array_equal(found, reader.observations[:, index])
    assert table.column("feature_loss_delta").null_count == 3
    assert json.loads(table.schema.metadata[b"probatum.pack"])["pack_id"] == reader.header["pack_id"]


def test_parquet_without_pyarrow_names_the_extra(reader, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'probatum\[parquet\]'"):
        export(reader, "parquet", tmp_path / "pack.parquet")
    assert list(tmp_path.iterdir()) == []


def test_an_export_that_fails_leaves_the_old_file(reader, tmp_path, monkeypatch):
    (tmp_path / "pack.json").write_text("old")
    monkeypatch.setattr(reader, "line", lambda number: 1 / 0, raising=False)
    with pytest.raises(ZeroDivisionError):
        export(reader, "json", tmp_path / "pack.json")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("pack.json", "old")]


@pytest.mark.parametrize("out", [".", "missing/pack.json"])
def test_a_place_that_takes_no_file_is_said(reader, tmp_path, out):
    with pytest.raises(UsageError, match="expected a file in a folder that exists"):
        export(reader, "json", tmp_path / out)
