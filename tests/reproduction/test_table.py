from probatum.reproduction.compare import Row
from probatum.reproduction.table import table

SEED = """\
Metric                    Original      Repro         Diff          Status
----------------------------------------------------------------------------------------------------
Best Val AUC              0.7412        0.7411        0.0001        ✅ PASS"""


def test_the_table_is_the_seeds():
    row = Row("val_auc", "Best Val AUC", 0.7412, 0.7411, 0.0001, 0.0002, "PASS", False, True, {})
    lines = table([row], marks=True).splitlines()
    assert [line.rstrip() for line in lines] == SEED.splitlines()


def test_a_terminal_without_marks_gets_plain_words():
    row = Row("val_auc", "Best Val AUC", 0.7412, None, None, 0.0002, "MISSING", False, True, {})
    assert table([row], marks=False).isascii()
