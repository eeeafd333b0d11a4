from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from probatum._errors import ComparisonError, UnknownNameError
from probatum.runs.catalogue import CATALOGUE_NAME, Catalogue


@pytest.fixture
def root(tmp_path, record_run):
    for value in (0.7, 0.9, 0.8):
        record_run(tmp_path, value)
    return tmp_path


def test_the_best_run_comes_first_in_the_direction_of_the_metric(root):
    catalogue = Catalogue(root)
    assert [row.best for row in catalogue.best("val_auc", 2)] == [0.9, 0.8]
    assert catalogue.best("val_loss", 1)[0].best == pytest.approx(1 / 3)


def test_an_unknown_metric_is_answered_with_the_known_ones(root):
    with pytest.raises(UnknownNameError, match="val_auc"):
        Catalogue(root).best("val_au")


def test_opposite_directions_cannot_be_ranked(root, metrics):
    from dataclasses import replace

    from probatum.runs.recorder import RunRecorder

    with RunRecorder("other", {"a": 1}, [replace(metrics[0], higher_is_better=False)], root=root) as run:
        run.epoch({"epoch": 1, "val_auc": 0.5})
    with pytest.raises(ComparisonError, match="opposite directions"):
        Catalogue(root).best("val_auc")


@pytest.mark.parametrize("content", [None, b"", b"no database at all" * 100])
def test_a_missing_or_damaged_index_is_made_again_silently(root, content):
    for file in root.glob(CATALOGUE_NAME + "*"):
        file.unlink()
    if content is not None:
        (root / CATALOGUE_NAME).write_bytes(content)
    catalogue = Catalogue(root)
    catalogue.refresh()
    assert [row.best for row in catalogue.best("val_auc", 3)] == [0.9, 0.8, 0.7]


def test_rebuilding_gives_the_same_answers(root):
    catalogue = Catalogue(root)
    before = catalogue.list(metric="val_auc")
    assert catalogue.rebuild() == 3
    assert catalogue.list(metric="val_auc") == before


def test_new_changed_and_lost_folders_are_taken_in(root, record_run):
    import shutil

    catalogue = Catalogue(root)
    first = catalogue.list()[0].name
    shutil.copytree(root / first, root / "20990101_000000_toy_copied_999999")
    shutil.rmtree(root / first)
    catalogue.refresh()
    assert [row.id for row in catalogue.list()][-1] == "999999"
    assert first not in [row.name for row in catalogue.list()]


def test_a_damaged_run_is_listed_with_a_note(root):
    catalogue = Catalogue(root)
    name = catalogue.list()[0].name
    (root / name / "status.json").write_text("{")
    catalogue.refresh()
    row = next(row for row in catalogue.list() if row.name == name)
    assert row.status == "interrupted"
    assert "status.json" in row.note


def _record_many(job):
    root, folder = job
    from probatum.runs.paths import RunPaths

    catalogue = Catalogue(root)
    for number in range(25):
        paths = RunPaths(root / f"20260101_000000_toy_{folder}_{100000 + folder * 1000 + number}")
        paths.folder.mkdir()
        paths.config.write_text("{}")
        catalogue.record(
            paths,
            config={"metrics": [{"name": "auc", "higher_is_better": True}]},
            status="completed",
            results={"metrics": {"auc": {"best": number, "last": 0, "best_epoch": 1}}},
        )


def test_eight_processes_recording_at_once_lose_nothing(tmp_path):
    with ProcessPoolExecutor(8, mp_context=get_context("fork")) as pool:
        list(pool.map(_record_many, [(tmp_path, number) for number in range(8)]))
    catalogue = Catalogue(tmp_path)
    assert len(catalogue.list()) == 200
    assert len(catalogue.best("auc", 300)) == 200
