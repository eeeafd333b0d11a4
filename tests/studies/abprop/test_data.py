"""Splits without leak, standardised rates, limits, and what is recorded."""

import os
from pathlib import Path

import numpy as np
import pytest

from probatum._errors import ParameterError, UnknownNameError, UsageError
from probatum.studies.abprop.annotate import annotate
from probatum.studies.abprop.clonotypes import clonotypes
from probatum.studies.abprop.data import load_antibody_data
from probatum.studies.abprop.sources import COMPACT, load_antibodies
from probatum.studies.abprop.tokenizer import decode


def sequences(split):
    return [decode(ids) for ids in np.split(split.tokens.numpy(), split.starts[1:])]


def held(data, antibodies, identity):
    """Return the clonotypes of each split, of all chains together."""
    group = dict(
        zip([a.sequence for a in antibodies], clonotypes(antibodies, identity).tolist(), strict=True)
    )
    return [{group[text] for text in sequences(data.splits[name])} for name in ("train", "valid", "test")]


@pytest.mark.parametrize("labels", ["numbered", "abprop"])
def test_no_clonotype_and_no_lineage_stands_in_two_splits(parameters_of, labels):
    parameters = parameters_of(labels=labels, simulated_clones=150)
    data = load_antibody_data(parameters)
    members = annotate(load_antibodies(parameters)[0], labels, 256).antibodies
    parts = held(data, members, parameters.cdr3_identity)
    assert sum(map(len, parts)) == len(set.union(*parts))
    lineage = {member.sequence: member.clone for member in members}
    clones = [{lineage[text] for text in sequences(split)} for split in data.splits.values()]
    assert sum(map(len, clones)) == len(set.union(*clones))


def test_rates_are_standardised_on_training_alone(tiny_data):
    _, data = tiny_data
    rates = data.splits["train"].rates.numpy()
    np.testing.assert_allclose(rates.mean(0), 0, atol=1e-5)
    spread = rates.std(0)
    np.testing.assert_allclose(spread[spread > 0], 1, atol=1e-4)
    assert abs(data.splits["test"].rates.numpy().mean()) > 1e-3


def test_fractions_shrink_the_splits_that_they_name(parameters_of):
    whole, less = (
        load_antibody_data(parameters_of(train_fraction=train, val_fraction=valid))
        for train, valid in ((1.0, 1.0), (0.25, 0.5))
    )
    counts = {name: (split.count, less.splits[name].count) for name, split in whole.splits.items()}
    assert counts["train"][1] == round(counts["train"][0] / 4)
    assert counts["valid"][1] == round(counts["valid"][0] / 2)
    assert counts["test"][0] == counts["test"][1]
    assert set(sequences(less.splits["train"])) < set(sequences(whole.splits["train"]))


def test_a_batch_beyond_the_limit_is_refused_with_the_largest_that_fits(parameters_of):
    with pytest.raises(ParameterError, match=r"`max_tokens` is 600.*The largest batch_size that fits is 4"):
        load_antibody_data(parameters_of(max_tokens=600))
    load_antibody_data(parameters_of(max_tokens=600, batch_size=4))


def test_an_unknown_dataset_is_answered_with_the_nearest(parameters_of):
    with pytest.raises(UnknownNameError, match="Did you mean 'covabdab_2021'"):
        load_antibody_data(parameters_of(dataset="covabdab"))


def test_a_known_dataset_without_its_files_says_where_they_belong(parameters_of, monkeypatch):
    monkeypatch.delenv("PROBATUM_DATA", raising=False)
    with pytest.raises(UsageError, match="PROBATUM_DATA is not set"):
        load_antibody_data(parameters_of(dataset="pooled_open"))


def test_a_file_of_the_user_is_read_and_hashed(parameters_of, tmp_path):
    members = load_antibodies(parameters_of())[0]
    lines = [f"{m.sequence},{m.chain},{m.v_gene},{m.j_gene},{m.cdr3}" for m in members]
    path = tmp_path / "mine.csv"
    path.write_text("\n".join(["sequence,chain,v_gene,j_gene,cdr3", *lines]) + "\n")
    data = load_antibody_data(parameters_of(dataset=path, labels="abprop"))
    assert data.record["files"][0]["rows"] == len(members)
    assert sum(split["sequences"] for split in data.record["splits"].values()) == len(members)
    assert str(tmp_path) not in str(data.record)


@pytest.mark.realdata
@pytest.mark.parametrize("name", COMPACT)
def test_real_files_split_without_leak(parameters_of, name):
    folder = os.environ.get("PROBATUM_DATA")
    if not folder or not (Path(folder) / "antibody" / f"{name}.csv.gz").is_file():
        pytest.skip(f"PROBATUM_DATA names no folder with antibody/{name}.csv.gz")
    parameters = parameters_of(dataset=name, labels="abprop")
    antibodies = annotate(load_antibodies(parameters)[0], "abprop", 256).antibodies
    parts = held(load_antibody_data(parameters), antibodies, parameters.cdr3_identity)
    assert sum(map(len, parts)) == len(set.union(*parts))
