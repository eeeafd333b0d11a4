"""Splits of an ICU run: batches, records, and no way from test patients or the future into training."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
import yaml

from probatum._errors import UsageError
from probatum.runs.data_record import data_record
from probatum.studies.concare import data as module
from probatum.studies.concare.data import load_cohort, load_icu_data
from probatum.studies.concare.data_parameters import ICUDataParameters
from probatum.training.parameters import TrainingParameters


def generator(seed=1):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def loaded(data_parameters_of):
    return load_icu_data(data_parameters_of())


def changed(monkeypatch, change):
    """Let `change` alter the cohort between its source and its splits."""

    def load(parameters):
        cohort, record = load_cohort(parameters)
        return change(cohort), record

    monkeypatch.setattr(module, "load_cohort", load)


def same(one, two):
    return all(torch.equal(first, second) for first, second in zip(one, two, strict=True))


def test_facts_tell_the_model_what_it_must_know(loaded):
    facts = {name: loaded.facts[name] for name in ("channels", "static", "steps")}
    assert facts == {"channels": 12, "static": 8, "steps": 48}
    assert loaded.facts["positive_rate"] == loaded.splits["train"].observations.positive_rate
    assert loaded.facts["channel_names"][0] == "HR"


def test_batches_hold_every_patient_once(loaded):
    seen = torch.cat([batch.index for batch in loaded.splits["train"].batches(32, generator())])
    assert sorted(seen.tolist()) == list(range(loaded.splits["train"].count))


def test_the_order_of_batches_comes_from_the_generator_alone(loaded):
    split = loaded.splits["train"]
    state = torch.get_rng_state()
    orders = [torch.cat([batch.index for batch in split.batches(32, generator(seed))]) for seed in (1, 1, 2)]
    assert torch.equal(orders[0], orders[1])
    assert not torch.equal(orders[0], orders[2])
    assert torch.equal(torch.get_rng_state(), state)


def test_evaluation_batches_keep_the_order_of_the_observations(loaded):
    split = loaded.splits["test"]
    batches = list(split.evaluation_batches(7))
    assert torch.cat([batch.index for batch in batches]).tolist() == list(range(split.count))
    np.testing.assert_array_equal(torch.cat([batch.targets for batch in batches]), split.observations.targets)


def test_a_batch_has_the_shapes_and_types_of_the_contract(loaded):
    batch = next(loaded.splits["train"].batches(16, generator())).to("cpu")
    assert {name: (tuple(tensor.shape), tensor.dtype) for name, tensor in batch._asdict().items()} == {
        **dict.fromkeys(("values", "mask", "since"), ((16, 48, 12), torch.float32)),
        **dict.fromkeys(("static", "static_mask"), ((16, 8), torch.float32)),
        "lengths": ((16,), torch.int64),
        "targets": ((16,), torch.float32),
        "index": ((16,), torch.int64),
    }


def test_perturbed_values_enter_by_the_same_door(loaded):
    split = loaded.splits["valid"]
    assert same(split.encode(split.observations.values), split.everyone)
    nothing = np.full_like(split.observations.values, np.nan)
    (batch,) = split.evaluation_batches(1000, nothing)
    assert not batch.mask.any()
    assert not batch.values.any()


def test_test_patients_never_change_training_tensors(data_parameters_of, monkeypatch, loaded):
    test_ids = set(loaded.splits["test"].observations.ids)

    def shuffle(cohort):
        rows = np.flatnonzero([name in test_ids for name in cohort.ids])
        values, static = cohort.values.copy(), cohort.static.copy()
        values[rows] = values[rows[::-1]] * 3
        static[rows] = static[rows[::-1]] + 100
        return replace(cohort, values=values, static=static)

    changed(monkeypatch, shuffle)
    other = load_icu_data(data_parameters_of())
    assert same(other.splits["train"].everyone, loaded.splits["train"].everyone)
    assert same(other.splits["valid"].everyone, loaded.splits["valid"].everyone)
    assert not same(other.splits["test"].everyone, loaded.splits["test"].everyone)


def test_the_future_never_enters_the_past_bins(data_parameters_of, monkeypatch, loaded):
    """Validation and test patients: their later hours change none of their earlier ones."""
    held_out = set(loaded.splits["valid"].observations.ids) | set(loaded.splits["test"].observations.ids)

    def scramble(cohort):
        rows = np.flatnonzero([name in held_out for name in cohort.ids])
        values = cohort.values.copy()
        values[rows, 24:] = values[rows, 24:][:, ::-1]
        return replace(cohort, values=values)

    changed(monkeypatch, scramble)
    other = load_icu_data(data_parameters_of())
    for name in ("valid", "test"):
        for field in ("values", "mask", "since"):
            one, two = (getattr(split.splits[name].everyone, field) for split in (loaded, other))
            assert torch.equal(one[:, :24], two[:, :24])
            assert not torch.equal(one[:, 24:], two[:, 24:])


def test_outcomes_never_enter_the_inputs(data_parameters_of, monkeypatch, loaded):
    """Among patients of one split, exchanged outcomes change targets alone."""
    train = set(loaded.splits["train"].observations.ids)
    rows, parts = {}, module.split_rows

    def fixed(cohort, protocol):
        rows.setdefault("split", parts(cohort, protocol))
        return rows["split"]

    monkeypatch.setattr(module, "split_rows", fixed)
    load_icu_data(data_parameters_of())
    changed(monkeypatch, lambda cohort: replace(
        cohort, targets=np.where([name in train for name in cohort.ids], 1 - cohort.targets, cohort.targets)
    ))  # fmt: skip
    flipped = load_icu_data(data_parameters_of()).splits["train"].everyone
    original = loaded.splits["train"].everyone
    assert torch.equal(flipped.targets, 1 - original.targets)
    assert same(flipped._replace(targets=original.targets), original)


def test_the_training_seed_plays_no_part(data_parameters_of, loaded):
    other = load_icu_data(data_parameters_of(seeds=(7,)))
    assert other.record == loaded.record


def test_the_record_is_plain_json_and_fits_the_workbench(loaded):
    record = data_record(**loaded.record)
    json.dumps(record, allow_nan=False)
    assert record["splits"]["test"]["patients"] == loaded.splits["test"].count
    assert record["files"][0]["rows"] == 200
    assert record["preprocessing"]["fitted_on"] == "train"


@pytest.mark.parametrize("change", [{"simulation_seed": 7}, {"split_seed": 7}, {"protocol": "official"}])
def test_what_changes_the_data_changes_the_digests(data_parameters_of, loaded, change):
    other = load_icu_data(data_parameters_of(**change))
    assert other.record["splits"]["train"]["sha256"] != loaded.record["splits"]["train"]["sha256"]


def test_an_unknown_set_is_told(data_parameters_of):
    with pytest.raises(UsageError, match="unknown set of PhysioNet 2012 'd'"):
        load_icu_data(data_parameters_of(dataset="physionet2012", sets=("a", "d")))


def test_every_data_parameter_stands_in_the_defaults_within_its_bounds():
    path = module.__file__.replace("data.py", "defaults.yaml")
    with open(path, encoding="utf-8") as file:
        stated = yaml.safe_load(file)["concare"]
    fields = set(ICUDataParameters.model_fields) - set(TrainingParameters.model_fields)
    assert fields <= set(stated)
    assert all(ICUDataParameters.model_fields[name].is_required() for name in fields)
