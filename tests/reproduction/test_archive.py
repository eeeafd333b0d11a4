import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from probatum._errors import RecordError, UsageError
from probatum._files import sha256_file
from probatum.reproduction.archive.claims import Claims, orcid_address
from probatum.reproduction.archive.inputs import named_information
from probatum.reproduction.archive.writing import write_archive
from probatum.runs.paths import RunPaths
from probatum.runs.status import write_status

DIGEST = "a01321b73395efe784adf6964228c85039513b08bd95ded16cc133de6664cdd3"


@pytest.fixture
def run(tmp_path, folders):
    files = [{"name": "stays.csv", "sha256": DIGEST, "bytes": 12, "rows": 3, "source": "a hospital"}]
    return folders.make_sealed_run(tmp_path / "runs", files=files)


def graph(path):
    content = json.loads((path / "ro-crate-metadata.json").read_text())
    return {entity["@id"]: entity for entity in content["@graph"]}


def of_type(entities, kind):
    return [entity for entity in entities.values() if entity["@type"] == kind]


def test_the_archive_holds_every_byte_of_the_run_but_the_last_state(run, tmp_path):
    done = write_archive(run, tmp_path / "crate")
    for file in (f for f in run.folder.rglob("*") if f.is_file() and f != run.model_last()):
        assert (done.path / run.name / file.relative_to(run.folder)).read_bytes() == file.read_bytes()
    assert done.left_out == ("model_last.pth",)
    assert not (done.path / run.name / "model_last.pth").exists()


@pytest.mark.parametrize(
    ("weights", "left"),
    [("none", {"model_best.pth", "model_last.pth"}), ("best", {"model_last.pth"}), ("all", set())],
)
def test_weights_come_along_as_asked(run, tmp_path, weights, left):
    done = write_archive(run, tmp_path / "crate", weights=weights)
    names = {file.name for file in done.path.rglob("*.pth")}
    assert set(done.left_out) == left
    assert names == {"model_best.pth", "model_last.pth"} - left


def test_an_unknown_choice_of_weights_is_answered_with_the_nearest(run, tmp_path):
    with pytest.raises(UsageError, match="Did you mean 'best'"):
        write_archive(run, tmp_path / "crate", weights="beste")


def test_the_same_run_gives_the_same_zip_byte_for_byte(run, tmp_path):
    for name in ("a.zip", "b.zip"):
        write_archive(run, tmp_path / name)
        os.utime(run.config, (1, 1))  # times of files are no content
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_the_zip_and_the_folder_hold_the_same(run, tmp_path):
    zipped, folder = write_archive(run, tmp_path / "a.zip"), write_archive(run, tmp_path / "crate")
    assert zipped.seal == folder.seal == sha256_file(tmp_path / "crate" / "ARCHIVE.sha256")
    with zipfile.ZipFile(zipped.path) as packed:
        for name in packed.namelist():
            assert packed.read(name) == (folder.path / name).read_bytes()
        assert len(packed.namelist()) == folder.files


def test_every_file_has_its_size_and_checksum_in_the_metadata(run, tmp_path):
    done = write_archive(run, tmp_path / "crate")
    files = of_type(graph(done.path), "File")
    assert len(files) == done.files - 2  # the metadata and the checksums describe, and are not described
    for file in files:
        path = done.path / file["@id"]
        assert file["sha256"] == sha256_file(path)
        assert file["contentSize"] == str(path.stat().st_size)
        assert file["description"]


def test_the_action_says_what_ran_on_what_and_what_came_out(run, tmp_path):
    entities = graph(write_archive(run, tmp_path / "crate").path)
    action = entities["#run"]
    assert entities[action["instrument"]["@id"]]["name"] == "Probatum"
    assert action["actionStatus"] == "http://schema.org/CompletedActionStatus"
    assert {"@id": named_information(DIGEST)} in action["object"]
    assert {"@id": f"{run.name}/results.json"} in action["result"]
    assert entities["#result-val_loss"]["value"] == 0.5
    assert entities["#result-val_loss"]["description"] == "BCE, at epoch 2; lower is better"
    assert action["startTime"] <= action["endTime"]


def test_inputs_are_named_by_checksum_and_do_not_come_along(run, tmp_path):
    done = write_archive(run, tmp_path / "crate")
    stays = graph(done.path)[named_information(DIGEST)]
    assert (stays["name"], stays["sha256"], stays["contentSize"]) == ("stays.csv", DIGEST, "12")
    assert stays["license"] == "ODC-By"
    assert not list(done.path.rglob("stays.csv"))


def test_no_person_is_named_unless_given(run, tmp_path, monkeypatch):
    monkeypatch.setenv("USER", "somebody")
    monkeypatch.setenv("GIT_AUTHOR_NAME", "somebody")
    done = write_archive(run, tmp_path / "crate")
    text = (done.path / "ro-crate-metadata.json").read_text()
    assert "somebody" not in text
    assert not of_type(graph(done.path), "Person")
    assert "agent" not in graph(done.path)["#run"]


def test_author_licence_and_publication_are_those_that_were_given(run, tmp_path):
    claims = Claims("A. Name", "0000-0002-1825-0097", "CC-BY-4.0", "10.1000/xyz")
    entities = graph(write_archive(run, tmp_path / "crate", claims=claims).path)
    person = {"@id": "https://orcid.org/0000-0002-1825-0097"}
    assert entities["#run"]["agent"] == entities["./"]["author"] == person
    assert entities["./"]["license"] == {"@id": "https://spdx.org/licenses/CC-BY-4.0"}
    assert entities["./"]["citation"] == {"@id": "https://doi.org/10.1000/xyz"}


def test_an_archive_without_licence_says_so(run, tmp_path):
    entities = graph(write_archive(run, tmp_path / "crate").path)
    assert "ask those who made the run" in entities[entities["./"]["license"]["@id"]]["description"]


def test_a_mistyped_orcid_is_refused():
    with pytest.raises(UsageError, match="mistyped"):
        orcid_address("0000-0002-1825-0079")
    with pytest.raises(UsageError, match="four groups"):
        orcid_address("1825-0097")
    with pytest.raises(UsageError, match="--author"):
        Claims(orcid="0000-0002-1825-0097")


def test_an_orcid_may_end_in_x():
    assert orcid_address("0000-0002-9079-593X") == "https://orcid.org/0000-0002-9079-593X"


def test_the_verdict_of_a_reproduction_comes_along(run, tmp_path):
    other = run.folder.with_name("20300101_000000_toy_423891_repro")
    other.mkdir()
    report = {"verdict": "PASS", "mode": "strict", "bitwise": True, "citation": "Experiment was reproduced."}
    (other / "reproduction_report.json").write_text(json.dumps(report))
    (other / "status.json").write_text('{"status": "completed", "time": "2030-01-01T00:00:00+00:00"}')
    done = write_archive(run, tmp_path / "crate")
    entities = graph(done.path)
    assert done.verdicts == ("PASS",)
    assert entities[f"#verdict-{other.name}"]["value"] == "PASS"
    assert (done.path / "reproductions" / other.name / "reproduction_report.json").is_file()
    assert {"@id": f"#reproduction-{other.name}"} in entities["./"]["mentions"]


def test_a_changed_run_is_not_archived(run, tmp_path):
    run.results.write_text(run.results.read_text().replace("0.7412", "0.8412"))
    with pytest.raises(RecordError, match=r"results\.json"):
        write_archive(run, tmp_path / "crate")
    assert not (tmp_path / "crate").exists()


def test_a_run_that_is_not_over_is_not_archived(tmp_path):
    folder = tmp_path / "20260101_000000_toy_111111"
    folder.mkdir()
    write_status(RunPaths(folder), "planned")
    with pytest.raises(RecordError, match="planned"):
        write_archive(RunPaths(folder), tmp_path / "crate")


def test_a_run_that_failed_is_archived_as_what_it_is(tmp_path):
    from probatum.reproduction.archive.verification import verify_archive
    from probatum.runs.metric import MetricDefinition
    from probatum.runs.recorder import RunRecorder

    loss = MetricDefinition("loss", "Loss", False, 0.0, None, 0.1, 0.1, "", "")
    with (
        pytest.raises(ZeroDivisionError),
        RunRecorder("toy", {"rate": 0.5}, [loss], root=tmp_path) as recorder,
    ):
        recorder.epoch({"epoch": 1, "loss": 1 / 0})
    done = write_archive(recorder.paths, tmp_path / "crate")
    action = graph(done.path)["#run"]
    assert action["actionStatus"] == "http://schema.org/FailedActionStatus"
    assert "division" in action["error"]
    assert [found.level for found in verify_archive(done.path).findings] == ["note"]


def test_nothing_is_written_over(run, tmp_path):
    write_archive(run, tmp_path / "a.zip")
    with pytest.raises(UsageError, match="exists"):
        write_archive(run, tmp_path / "a.zip")


def test_a_link_in_a_run_is_no_file_of_the_archive(run, tmp_path):
    (run.folder / "report.html").symlink_to("/etc/hostname")
    with pytest.raises(RecordError, match="link"):
        write_archive(run, tmp_path / "crate")


def test_archiving_needs_no_torch(run, tmp_path):
    code = (
        "import sys; from pathlib import Path; from probatum.reproduction.archive.writing import write_archive;"
        "from probatum.runs.paths import RunPaths; write_archive(RunPaths(Path(sys.argv[1])), Path(sys.argv[2]));"
        "print(sorted({'torch', 'numpy', 'scipy', 'pydantic'} & set(sys.modules)))"
    )
    words = [sys.executable, "-c", code, str(run.folder), str(tmp_path / "a.zip")]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip() == "[]"


def _validator():
    """Return the interpreter of an environment with `roc-validator`, or None."""
    named = os.environ.get("PROBATUM_CRATE_VALIDATOR")
    if named:
        return named
    from importlib.util import find_spec

    return sys.executable if find_spec("rocrate_validator") and find_spec("rocrate") else None


def _context(python):
    """Return the context that a crate names, from the `rocrate` package; no network is asked."""
    if named := os.environ.get("PROBATUM_CRATE_CONTEXT"):
        return named
    code = "from importlib.util import find_spec; print(find_spec('rocrate').origin)"
    found = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    return Path(found).parent / "data" / "ro-crate.jsonld"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.zip", "crate"])
def test_an_independent_validator_accepts_the_crate(run, tmp_path, name):
    python = _validator()
    if python is None:
        pytest.skip(
            "roc-validator and rocrate are in no environment: PROBATUM_CRATE_VALIDATOR names its python"
        )
    done = write_archive(run, tmp_path / name, claims=Claims("A. Name", None, "CC-BY-4.0"))
    script = Path(__file__).with_name("crate_validator.py")
    words = [python, str(script), str(done.path), str(_context(python)), "required"]
    found = subprocess.run(words, capture_output=True, text=True)
    text = found.stdout
    report = json.loads(text[text.index("{") : text.rindex("}") + 1])
    assert report["issues"] == []
    assert report["skipped_checks"] == 0
    assert report["passed"]
    assert found.returncode == 0
