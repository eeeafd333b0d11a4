import numpy as np
import pytest
import torch
from sklearn.metrics import confusion_matrix, log_loss, recall_score
from torch.nn import functional

from probatum.signals.config import PerClassConfig
from probatum.signals.per_class import PerClassCollector

ALL = PerClassConfig(enabled=True, track_accuracy=True, track_loss=True, track_confusion=True)


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def labels(*shape, classes=3, seed=1):
    return torch.randint(classes, shape, generator=torch.Generator().manual_seed(seed))


def test_multiclass_numbers_are_scikit_learns():
    outputs, targets = noise(60, 3), labels(60)
    record = PerClassCollector(ALL).end_epoch(outputs, targets)
    predicted = outputs.argmax(-1)
    assert record["confusion"] == confusion_matrix(targets, predicted).tolist()
    np.testing.assert_allclose(record["accuracy"], recall_score(targets, predicted, average=None))
    for name in range(3):
        own = targets == name
        expected = log_loss(targets[own], outputs[own].double().softmax(-1).numpy(), labels=[0, 1, 2])
        assert record["loss"][name] == pytest.approx(expected, rel=1e-5)


def test_the_standard_error_of_a_loss_is_that_of_its_mean():
    outputs, targets = noise(60, 3), labels(60)
    record = PerClassCollector(ALL).end_epoch(outputs, targets)
    own = functional.cross_entropy(outputs, targets, reduction="none")[targets == 1]
    assert record["loss_se"][1] == pytest.approx(float(own.std() / len(own) ** 0.5), rel=1e-4)


@pytest.mark.parametrize("scale", ["logits", "probabilities"])
def test_two_classes_come_from_logits_or_probabilities_and_the_record_says_which(scale):
    logits, targets = 3 * noise(50), labels(50, classes=2).float()
    outputs = logits if scale == "logits" else logits.sigmoid()
    record = PerClassCollector(ALL).end_epoch(outputs, targets)
    own = functional.binary_cross_entropy_with_logits(logits[targets == 1], targets[targets == 1])
    assert record["outputs"] == scale
    assert record["loss"][1] == pytest.approx(float(own), rel=1e-4)
    assert record["confusion"] == confusion_matrix(targets, logits > 0).tolist()


def test_what_the_caller_says_of_two_class_outputs_is_believed():
    record = PerClassCollector(ALL, binary="logits").end_epoch(torch.tensor([0.2, 0.3]), torch.tensor([0, 1]))
    assert record["outputs"] == "logits"
    assert record["confusion"] == [[0, 1], [0, 1]]


def test_one_column_is_one_number_per_example():
    record = PerClassCollector(ALL).end_epoch(noise(10, 1), labels(10, classes=2))
    assert sum(record["counts"]) == 10


def test_batches_add_up_to_the_whole():
    outputs, targets = noise(60, 3), labels(60)
    collector = PerClassCollector(ALL)
    for part in torch.arange(60).split(7):
        collector.observe(outputs[part], targets[part])
    record, whole = collector.end_epoch(None, None), PerClassCollector(ALL).end_epoch(outputs, targets)
    assert record.pop("of") == "train"
    assert whole.pop("of") == "validation"
    assert record.pop("loss") == pytest.approx(whole.pop("loss"))
    assert record.pop("loss_se") == pytest.approx(whole.pop("loss_se"))
    assert record == whole


def test_an_epoch_is_forgotten_at_its_end():
    collector = PerClassCollector(ALL)
    collector.observe(noise(5, 3), labels(5))
    collector.end_epoch(None, None)
    collector.observe(noise(2, 3), labels(2))
    assert sum(collector.end_epoch(None, None)["counts"]) == 2


def test_a_class_without_examples_is_absent_and_not_zero():
    record = PerClassCollector(ALL).end_epoch(noise(4, 3), torch.tensor([0, 0, 2, 2]))
    assert (record["counts"][1], record["accuracy"][1], record["loss"][1]) == (0, None, None)


@pytest.mark.parametrize("outputs", [noise(4, 6, 3), noise(4, 6, 3).transpose(1, 2)])
def test_positions_count_as_examples_wherever_the_class_axis_is(outputs):
    targets = labels(4, 6)
    targets[0, 0] = -100  # padding of Hugging Face
    assert sum(PerClassCollector(ALL).end_epoch(outputs, targets)["counts"]) == 23


@pytest.mark.parametrize("field", ["track_accuracy", "track_loss", "track_confusion"])
def test_each_field_decides_what_is_recorded(field):
    name = field.removeprefix("track_")
    record = PerClassCollector(ALL.model_copy(update={field: False})).end_epoch(noise(4, 3), labels(4))
    assert name not in record
    assert name in PerClassCollector(ALL).end_epoch(noise(4, 3), labels(4))


@pytest.mark.parametrize(
    ("outputs", "targets", "reason"),
    [
        (noise(4), noise(4), "expected targets 0 and 1"),
        (noise(4, 3), noise(4, 3), "expected class indices"),
        (noise(4, 3), labels(5), "expected class indices of shape (4,)"),
        (noise(2, 5000), labels(2), "5000 classes"),
        (None, None, "no outputs and targets"),
    ],
)
def test_what_has_no_classes_is_missing_with_the_reason(outputs, targets, reason):
    collector = PerClassCollector(ALL)
    collector.observe(outputs, targets)
    assert collector.end_epoch(None, None) == {}
    assert reason in collector.missing["per_class"]


def test_hugging_face_outputs_give_their_logits():
    collector = PerClassCollector(ALL)
    collector.observe({"loss": torch.tensor(0.1), "logits": noise(4, 3)}, {"labels": labels(4)})
    assert sum(collector.end_epoch(None, None)["counts"]) == 4
