import pytest

from probatum._errors import UsageError
from probatum.analysis.directions import Objective, both_epochs, direction_of, parse_objective


@pytest.mark.parametrize(
    ("column", "higher"),
    [("metrics_loss", False), ("mlm_perplexity", False), ("cls_f1", True), ("reg_r2", True), ("auc_loss", False),
     ("residues_per_second", True), ("training_seconds", False), ("val_auc_best_epoch", True), ("charm", None)],
)  # fmt: skip
def test_a_name_tells_its_direction_where_it_can(column, higher):
    assert direction_of(column) is higher


def test_a_definition_counts_more_than_a_name():
    assert direction_of("metrics_loss_best_epoch", {"loss": True}) is True


def test_a_metrics_own_name_means_its_best_epoch():
    columns = ["metrics_auc_best_epoch", "metrics_auc_last_epoch"]
    assert parse_objective("auc", columns, {}) == Objective("metrics_auc_best_epoch", True)


def test_a_spelled_direction_wins():
    assert not parse_objective("auc:min", ["auc"], {"auc": True}).higher_is_better


@pytest.mark.parametrize(
    ("text", "message"),
    [("lss", "Did you mean 'loss'"), ("charm", "charm:min or charm:max"), ("loss:up", "got the ending 'up'")],
)
def test_what_cannot_be_an_objective_is_explained(text, message):
    with pytest.raises(UsageError, match=message):
        parse_objective(text, ["loss", "charm"], {})


def test_both_epochs_are_known_by_name():
    columns = [
        "metrics_loss",
        "loss_min",
        "metrics_auc_best_epoch",
        "metrics_auc_last_epoch",
        "best_f1",
        "metrics_f1",
    ]
    assert both_epochs("loss_min", columns) == {"best": "loss_min", "last": "metrics_loss"}
    assert both_epochs("metrics_auc_last_epoch", columns)["best"] == "metrics_auc_best_epoch"
    assert both_epochs("metrics_f1", columns) == {"best": "best_f1", "last": "metrics_f1"}
    assert both_epochs("duration_seconds", columns) == {}
