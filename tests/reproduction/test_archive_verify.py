import hashlib
import json
import random
import shutil
import zipfile

import pytest

from probatum._errors import RecordError
from probatum.reproduction.archive.store import is_archive
from probatum.reproduction.archive.verification import verify_archive
from probatum.reproduction.archive.writing import write_archive
from probatum.runs.paths import RunPaths


@pytest.fixture
def run(tmp_path, folders):
    return folders.make_sealed_run(tmp_path / "runs")


@pytest.fixture
def crate(run, tmp_path):
    return write_archive(run, tmp_path / "crate").path


@pytest.fixture
def zipped(run, tmp_path):
    return write_archive(run, tmp_path / "crate.zip").path


def failures(path, **options):
    found = verify_archive(path, **options).findings
    return [finding for finding in found if finding.level == "failure"]


def is_found(path):
    try:
        return bool(failures(path))
    except RecordError:  # the zip's directory is gone
        return True


def named(path):
    return {finding.file for finding in failures(path)}


@pytest.mark.parametrize("name", ["crate", "crate.zip"])
def test_a_whole_archive_has_no_failure_and_notes_what_was_left_out(run, tmp_path, name):
    found = verify_archive(write_archive(run, tmp_path / name).path)
    assert [(finding.level, finding.file) for finding in found.findings] == [
        ("note", f"{run.name}/model_last.pth")
    ]


def test_a_changed_byte_of_any_file_is_named(crate):
    for file in sorted(f for f in crate.rglob("*") if f.is_file()):
        before = file.read_bytes()
        file.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
        assert file.relative_to(crate).as_posix() in named(crate)
        file.write_bytes(before)
    assert not failures(crate)


def test_a_changed_byte_anywhere_in_a_zip_is_found(zipped):
    before = zipped.read_bytes()
    for at in random.Random(0).sample(range(len(before)), 150):
        zipped.write_bytes(before[:at] + bytes([before[at] ^ 1]) + before[at + 1 :])
        assert is_found(zipped), at


def test_a_changed_file_in_a_zip_is_named(run, zipped):
    content = zipped.read_bytes()
    changed = content.replace(b'"learning_rate": 0.001', b'"learning_rate": 0.009')
    assert changed != content
    zipped.write_bytes(changed)
    assert f"{run.name}/config.json" in named(zipped)


def test_a_file_that_is_gone_or_was_put_in_is_named(run, crate):
    (crate / run.name / "results.json").unlink()
    (crate / "extra.txt").write_text("x")
    assert named(crate) == {f"{run.name}/results.json", "extra.txt"}


def test_who_edits_the_checksums_too_is_caught_by_the_runs_manifest(run, crate):
    file = crate / run.name / "results.json"
    old = hashlib.sha256(file.read_bytes()).hexdigest()
    file.write_text(file.read_text().replace("0.7412", "0.8412"))
    checksums = crate / "ARCHIVE.sha256"
    checksums.write_text(checksums.read_text().replace(old, hashlib.sha256(file.read_bytes()).hexdigest()))
    assert named(crate) == {f"{run.name}/results.json"}


def test_who_edits_the_manifest_too_is_caught_by_the_ledgers_lines(run, crate):
    def digest(path):
        return hashlib.sha256(path.read_bytes()).hexdigest()

    file, manifest = crate / run.name / "results.json", crate / run.name / "MANIFEST.sha256"
    before = digest(file), digest(manifest)
    file.write_text(file.read_text().replace("0.7412", "0.8412"))
    manifest.write_text(manifest.read_text().replace(before[0], digest(file)))
    checksums = crate / "ARCHIVE.sha256"
    text = checksums.read_text().replace(before[0], digest(file)).replace(before[1], digest(manifest))
    checksums.write_text(text)
    assert named(crate) == {f"{run.name}/MANIFEST.sha256"}


def test_a_seal_noted_earlier_must_be_the_one(run, tmp_path, crate):
    seal = verify_archive(crate).seal
    assert not failures(crate, expected_seal=seal)
    assert failures(crate, expected_seal="0" * 64)


def test_a_zip_that_was_packed_again_is_told_from_one_whose_files_changed(crate, zipped, tmp_path):
    again = tmp_path / "again.zip"
    with zipfile.ZipFile(again, "w", zipfile.ZIP_DEFLATED) as packed:
        for file in sorted(f for f in crate.rglob("*") if f.is_file()):
            packed.write(file, file.relative_to(crate).as_posix())
    (finding,) = failures(again)
    assert finding.file == "again.zip"
    assert "unpack it" in finding.next_step


def test_a_link_in_place_of_a_file_is_not_followed(run, crate):
    file = crate / run.name / "results.json"
    shutil.move(file, crate.parent / "kept.json")
    file.symlink_to(crate.parent / "kept.json")
    assert f"{run.name}/results.json" in named(crate)


def test_an_unpacked_zip_verifies_as_a_folder(zipped, tmp_path):
    shutil.unpack_archive(zipped, tmp_path / "unpacked")
    assert not failures(tmp_path / "unpacked")


def test_what_is_no_archive_is_not_taken_for_one(run, tmp_path, crate, zipped):
    assert is_archive(crate)
    assert is_archive(zipped)
    assert not is_archive(run.folder)
    assert not is_archive(run.results)
    assert not is_archive(tmp_path / "nothing")


def test_a_torn_zip_is_refused_with_its_name(zipped):
    zipped.write_bytes(zipped.read_bytes()[:500])
    with pytest.raises(RecordError, match=r"crate\.zip"):
        verify_archive(zipped)


def test_an_archive_of_a_copied_run_notes_that_no_ledger_vouches_for_it(run, tmp_path):
    copy = shutil.copytree(run.folder, tmp_path / "elsewhere" / run.name)
    done = write_archive(RunPaths(copy), tmp_path / "copy", anchored=False)
    notes = [finding.problem for finding in verify_archive(done.path).findings]
    assert "the archive was made without the ledger" in notes
    assert json.loads((done.path / "ro-crate-metadata.json").read_text())
