import json
from typing import Literal

from probatum.parameters import Parameters, parameter, parameter_table, table_csv, table_json, table_markdown


class Small(Parameters):
    epochs: int = parameter("training", "passes, over the data", unit="epochs", ge=1)
    optimizer: Literal["adam", "sgd"] = parameter("training", "step | rule")


ROWS = parameter_table(Small, Small(epochs=3, optimizer="adam"))


def test_the_csv_has_exactly_the_five_columns():
    assert table_csv(ROWS).splitlines() == [
        "name,default,category,unit,description",
        'epochs,3,training,epochs,"passes, over the data"',
        "optimizer,adam,training,,step | rule",
    ]


def test_markdown_shows_bounds_and_choices_and_escapes_bars():
    assert "| optimizer | adam | adam or sgd |  |  | training | step \\| rule |" in table_markdown(ROWS)


def test_json_has_type_and_bounds():
    first = json.loads(table_json(ROWS))[0]
    assert (first["type"], first["bounds"]) == ("int", ">= 1")
