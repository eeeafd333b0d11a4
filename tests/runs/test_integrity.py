import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from probatum._errors import RecordError
from probatum.runs.folder import create_run_folder
from probatum.runs.integrity import amend, close, seal, verify_run
from probatum.runs.status import read_status, write_status


def _failures(run):
    return [finding for finding in verify_run(run) if finding.level == "failure"]


def test_an_untouched_run_is_whole(run):
    assert verify_run(run) == []


def test_the_manifest_can_be_checked_without_probatum(run):
    done = subprocess.run(
        ["sha256sum", "-c", run.manifest.name], cwd=run.folder, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_every_changed_truncated_or_deleted_file_is_named(tmp_path, record_run):
    for name in sorted(p.name for p in record_run(tmp_path / "names").folder.rglob("*") if p.is_file()):
        for damage in ("flip", "truncate", "delete"):
            run = record_run(tmp_path / damage / name)
            file = next(run.folder.rglob(name))
            content = bytearray(file.read_bytes())
            content[len(content) // 2] ^= 1
            if damage == "delete":
                file.unlink()
            else:
                file.write_bytes(content if damage == "flip" else content[:-9])
            assert any(finding.file.endswith(name) for finding in _failures(run)), (damage, name)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_bytes_in_any_file_give_findings_and_never_a_traceback(tmp_path_factory, record_run, data):
    run = record_run(tmp_path_factory.mktemp("runs"))
    files = sorted(path for path in run.folder.rglob("*") if path.is_file())
    file = data.draw(st.sampled_from(files))
    file.write_bytes(data.draw(st.binary(max_size=300)))
    assert any(str(file.relative_to(run.folder)) == finding.file for finding in _failures(run))


def test_a_changed_json_value_is_named_by_its_key(run):
    run.config.write_text(run.config.read_text().replace('"learning_rate": 0.01', '"learning_rate": 0.02'))
    assert {"parameters.learning_rate", "defaults.learning_rate"} <= {f.field for f in _failures(run)}


def test_a_changed_csv_cell_is_named_by_line_and_column(run):
    run.metrics_epoch.write_text(run.metrics_epoch.read_text().replace("0.69", "0.99"))
    assert [f.field for f in _failures(run)] == ["line 3, column val_auc"]


def test_an_extra_file_is_named(run):
    (run.folder / "notes.txt").write_text("")
    assert [f.file for f in _failures(run)] == ["notes.txt"]


def test_a_file_edited_together_with_its_manifest_is_found_by_the_ledger(run):
    run.results.write_text("{}")
    lines = [line for line in run.manifest.read_text().splitlines() if not line.endswith("results.json")]
    import hashlib

    lines.append(f"{hashlib.sha256(b'{}').hexdigest()}  results.json")
    run.manifest.write_text("\n".join(lines) + "\n")
    assert [f.file for f in _failures(run)] == ["MANIFEST.sha256"]


def test_a_run_that_the_ledger_does_not_know_fails_unless_only_the_manifest_is_asked(run):
    run.ledger.unlink()
    assert [f.file for f in _failures(run)] == ["ledger.jsonl"]
    assert verify_run(run, anchored=False) == []


def _looped(tmp_path):
    run = create_run_folder(tmp_path / "loop", "toy", "x")
    run.config.write_text('{"a": {"b": 1}}')
    seal(run)
    write_status(run, "running")
    return run


def test_closing_completes_the_run(tmp_path):
    run = _looped(tmp_path)
    run.results.write_text("{}")
    close(run)
    assert read_status(run).status == "completed"
    assert verify_run(run) == []


def test_an_annotated_log_is_a_note_and_no_failure(tmp_path):
    run = _looped(tmp_path)
    run.experiment_log.write_text("a: 1\n")
    close(run)
    run.experiment_log.write_text("a: 2\n")
    assert [(f.file, f.level) for f in verify_run(run)] == [("experiment_log.yaml", "note")]


def test_a_later_report_is_a_note_until_it_is_recorded_and_then_guarded(run):
    run.reproduction_report.write_text("{}")
    assert [f.level for f in verify_run(run)] == ["note"]
    amend(run, [run.reproduction_report])
    assert verify_run(run) == []
    run.reproduction_report.write_text("[]")
    assert [f.file for f in _failures(run)] == ["reproduction_report.json"]


def test_only_later_files_can_be_added(run):
    with pytest.raises(RecordError, match="only evaluations"):
        amend(run, [run.results])


def test_an_unfinished_run_is_held_against_its_seal(tmp_path):
    run = _looped(tmp_path)
    assert [f.level for f in verify_run(run)] == ["note"]
    run.config.write_text('{"a": {"b": 2}}')
    assert [(f.file, f.field) for f in _failures(run)] == [("config.json", "a.b")]


def test_a_resumed_run_must_have_the_sealed_configuration(tmp_path):
    run = _looped(tmp_path)
    seal(run, resumed=True)
    run.config.write_text('{"a": {"b": 2}}')
    with pytest.raises(RecordError, match=r"config.json: a.b"):
        seal(run, resumed=True)


def test_a_run_without_configuration_cannot_be_sealed(tmp_path):
    with pytest.raises(RecordError, match="before the seal"):
        seal(create_run_folder(tmp_path, "toy", "x"))
