import json

import jsonschema
import pytest

from probatum.reproduction.citation import citation
from probatum.reproduction.compare import compare_runs
from probatum.reproduction.report import SCHEMAS, write_report


@pytest.mark.parametrize("values", [{}, {"val_auc": float("nan")}, {"val_auc": None}, {"val_auc": 0.5}])
def test_report_and_manifest_follow_their_schemas(folders, tmp_path, values):
    found = compare_runs(*folders.make_pair(tmp_path, values={**folders.VALUES, **values}))
    for file in write_report(found, manifest=True):
        schema = json.loads((SCHEMAS / f"{file.stem}.schema.json").read_text())
        jsonschema.validate(json.loads(file.read_text(), parse_constant=pytest.fail), schema)


def test_the_report_stands_in_the_target_folder(folders, tmp_path):
    source, target = folders.make_pair(tmp_path)
    write_report(compare_runs(source, target))
    report = json.loads(target.reproduction_report.read_text())
    assert (report["fully_reproduced"], report["tolerances"]) == (True, {"auc": 0.0002, "corr": 0.0005})
    assert not target.reproduction_manifest.exists()


def test_the_citation_states_hash_deltas_and_seeds(folders, tmp_path):
    found = compare_runs(*folders.make_pair(tmp_path))
    sentence = citation(found)
    for fact in (
        "schema v3",
        found.source.config_md5[:4],
        "AUC +0.0000",
        "strict tolerances",
        "seeds [42] identical",
    ):
        assert fact in sentence


def test_a_failed_reproduction_is_not_cited_as_one(folders, tmp_path):
    found = compare_runs(*folders.make_pair(tmp_path, values={**folders.VALUES, "val_auc": 0.6}))
    assert "was not reproduced" in citation(found)
