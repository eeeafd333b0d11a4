import json
import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

from probatum._errors import RecordError
from probatum.reports.charts import heat_map, lag_curves, robustness_choices, robustness_curves
from probatum.reports.style import DASHES, NOT_MEASURED, OKABE_ITO
from probatum.signals.artifact import ArtifactWriter
from probatum.signals.epoch import EpochSignals
from probatum.signals.reading import read_artifact

stories = SimpleNamespace(**runpy.run_path(str(Path(__file__).parents[1] / "signals" / "stories.py")))
ODD = ["<script>alert(1)</script>", "a:b.c[0]", "x'y\"z\\", "{{datum}}", "", "run:Q", "ü 漢"]


@pytest.fixture
def artifact(tmp_path):
    return stories.artifact(tmp_path / "a0.json", epochs=3)


def of_layers(path, values, epochs=1):
    """Return an artifact whose layers have these gradient norms."""
    writer = ArtifactWriter(path, {}, mode="overwrite")
    for epoch in range(1, epochs + 1):
        norms = {name: stories.statistics(norm=[value, value]) for name, value in values.items()}
        writer.append(EpochSignals(epoch, gradients=norms))
    return read_artifact(writer.path)


def spec_of(chart):
    """Return a chart as Vega-Lite, checked against its schema, and as JSON takes it."""
    return json.loads(json.dumps(chart.to_dict(), allow_nan=False))


def rows_of(spec):
    return spec["data"]["values"]


def curves_of(names=("completely_at_random", "informative"), kind="missingness", strength="mask_rate"):
    """Return a `perturbations` block with one whole curve per name, and the seed's list of the first."""

    def points(shift):
        return [
            {
                strength: at, "metrics": {"auroc": 0.8 - shift - at / 2, "auprc": None}, "confidence": 0.95,
                "interval": {"auroc": [0.7 - at / 2, 0.9 - at / 2], "auprc": None}, "n": 60,
                "unit": "patients", "masks": 1 if at == 0 else 5, "mechanism": names[0],
            }
            for at in (0.0, 0.2, 0.4)
        ]  # fmt: skip

    whole = [{"kind": kind, "name": name, "points": points(k / 100)} for k, name in enumerate(names)]
    return {f"{kind}_curve": whole[0]["points"], "curves": whole}


def test_a_heat_map_holds_the_means_by_layer_and_epoch(artifact):
    spec = spec_of(heat_map({"a0": artifact}, "gradient_norms"))
    series = artifact.series()["gradient_norms"]
    rows = rows_of(spec)
    assert len(rows) == 2 * 3
    assert all(row["value"] == series[row["layer"]][row["epoch"]].mean for row in rows)
    encoding = spec["encoding"]
    fields = [(encoding[name]["field"], encoding[name]["type"]) for name in ("x", "y", "color")]
    assert fields == [("epoch", "ordinal"), ("layer", "nominal"), ("value", "quantitative")]
    assert encoding["color"]["title"] == "L2 norm"
    assert spec["title"]["subtitle"][0] == "a0"


def test_runs_stand_beside_each_other_on_one_scale_of_colour(artifact):
    spec = spec_of(heat_map({"parent": artifact, "child": artifact}, "gradient_norms"))
    assert spec["facet"]["field"] == "run"
    assert spec["facet"]["sort"] == ["parent", "child"]
    assert "resolve" not in spec  # shared, as facets are


def test_numbered_layers_stand_in_the_order_of_their_numbers(tmp_path):
    found = of_layers(tmp_path / "a.json", {"block.10": 1.0, "block.9.fc": 1.0, "block.2": 1.0, "a": 1.0})
    spec = spec_of(heat_map({"a": found}, "gradient_norms"))
    assert spec["encoding"]["y"]["scale"]["domain"] == ["a", "block.2", "block.9.fc", "block.10"]


def test_what_a_run_did_not_measure_is_grey_and_no_zero(tmp_path):
    runs = {
        "parent": of_layers(tmp_path / "a.json", {"fc": 1.0, "lost": float("nan")}),
        "child": of_layers(tmp_path / "b.json", {"fc": 1.0, "new": 2.0}, epochs=2),
    }
    spec = spec_of(heat_map(runs, "gradient_norms"))
    assert {(row["run"], row["layer"]) for row in rows_of(spec)} == {
        ("parent", "fc"), ("child", "fc"), ("child", "new"),
    }  # fmt: skip
    assert spec["spec"]["encoding"]["y"]["scale"]["domain"] == ["fc", "lost", "new"]
    assert spec["spec"]["view"]["fill"] == NOT_MEASURED
    assert "grey: not measured" in spec["title"]["subtitle"][0]


@pytest.mark.parametrize(
    ("values", "scheme", "kind"),
    [
        ([1.0, 2.0], "viridis", None),
        ([1e-5, 1.0], "viridis", "log"),
        ([0.0, 1.0], "viridis", None),
        ([0.0, 0.0], "viridis", None),
        ([-1.0, 2.0], "blueorange", "symlog"),
        ([-1.0, -2.0], "viridis", None),
    ],
)
def test_the_scale_of_colour_follows_the_values(tmp_path, values, scheme, kind):
    found = of_layers(tmp_path / "a.json", dict(zip("ab", values, strict=True)))
    scale = spec_of(heat_map({"a": found}, "gradient_norms"))["encoding"]["color"]["scale"]
    assert (scale["scheme"], scale.get("type")) == (scheme, kind)
    if kind == "symlog":
        assert scale["domain"] == [-2.0, 2.0]  # 0 keeps the colour of nothing


def test_many_layers_and_epochs_stay_on_a_page(tmp_path):
    found = of_layers(tmp_path / "a.json", {f"layers.{k}": 1.0 + k for k in range(280)}, epochs=30)
    spec = spec_of(heat_map({"a": found}, "gradient_norms"))
    named = spec["encoding"]["y"]["axis"]["values"]
    assert spec["height"] <= 900
    assert named[:2] == ["layers.0", "layers.4"]
    assert len(rows_of(spec)) == 280 * 30  # beyond the 5000 that Altair takes from a table
    assert spec["width"] / len(spec["encoding"]["x"]["axis"]["values"]) >= 24


def test_an_unknown_signal_lists_the_nearest(artifact):
    with pytest.raises(
        RecordError, match=r"a0: unknown signal 'gradient_norm'\. Did you mean 'gradient_norms'"
    ):
        heat_map({"a0": artifact}, "gradient_norm")


def test_lag_curves_hold_the_last_epoch_of_each_run(tmp_path):
    runs = {
        "parent": stories.artifact(tmp_path / "a0.json", epochs=2),
        "child": stories.artifact(tmp_path / "a3.json", epochs=3, lag=(0.4, 0.4, 0.2)),
    }
    spec = spec_of(lag_curves(runs))
    child = [(row["lag"], row["mass"]) for row in rows_of(spec) if row["run"] == "child"]
    assert child == [(0, 0.4), (1, 0.4), (2, 0.2)]
    assert spec["encoding"]["x"]["field"] == "lag"
    assert spec["encoding"]["y"]["scale"]["zero"] is True
    assert spec["title"]["subtitle"] == ["epoch 2 of parent, 3 of child"]


def test_runs_differ_in_colour_and_in_dash(artifact):
    names = [f"run {index}" for index in range(9)]
    encoding = spec_of(lag_curves(dict.fromkeys(names, artifact)))["encoding"]
    colors, dashes = (encoding[name]["scale"] for name in ("color", "strokeDash"))
    assert colors["domain"] == dashes["domain"] == names
    assert colors["range"][:2] == list(OKABE_ITO[:2])
    assert dashes["range"][:2] == list(DASHES[:2])
    pairs = {(color, tuple(dash)) for color, dash in zip(colors["range"], dashes["range"], strict=True)}
    assert len(pairs) == len(names)


def test_missing_attention_is_said_with_what_there_is(artifact):
    with pytest.raises(RecordError, match="a0: no lag curve of attn; it has attention"):
        lag_curves({"a0": artifact}, "attn")
    with pytest.raises(RecordError, match=r"a0: unknown epoch '9'\. Valid: 1, 2, 3"):
        lag_curves({"a0": artifact}, epoch=9)


def test_every_mechanism_can_be_drawn_and_not_only_the_first():
    record = curves_of()
    assert [name for _, name in robustness_choices(record)] == ["completely_at_random", "informative"]
    rows = rows_of(spec_of(robustness_curves({"a": record}, "missingness", "informative")))
    assert [row["value"] for row in rows] == pytest.approx([0.79, 0.69, 0.59])


def test_a_robustness_curve_has_its_bands_and_says_what_they_are():
    spec = spec_of(robustness_curves({"parent": curves_of(), "child": curves_of()}, "missingness"))
    marks = [layer["mark"]["type"] for layer in spec["layer"]]
    assert marks == ["area", "line", "line", "line", "point"]
    band = spec["layer"][0]["encoding"]
    assert (band["y"]["field"], band["y2"]["field"]) == ("low", "high")
    assert (rows_of(spec)[0]["low"], rows_of(spec)[0]["high"]) == (0.7, 0.9)
    assert spec["title"]["text"] == "auroc under missingness: completely at random"
    assert spec["title"]["subtitle"] == [
        "60 patients; 5 masks; bands: 95% intervals, bootstrap over patients and masks"
    ]


def test_damage_grows_from_left_to_right():
    kept = curves_of(("keep_latest",), "truncation", "keep_ratio")
    spec = spec_of(robustness_curves({"a": kept}, "truncation"))
    assert spec["layer"][0]["encoding"]["x"]["scale"]["reverse"] is True
    assert spec_of(robustness_curves({"a": curves_of()}, "missingness"))["layer"][0]["encoding"]["x"]["scale"][
        "reverse"
    ] is False  # fmt: skip


def test_a_record_of_the_seeds_layout_alone_is_drawn_without_bands():
    record = {"missingness_curve": stories.curve([0.8, 0.7, 0.6])}
    spec = spec_of(robustness_curves({"a": record}, "missingness"))
    assert [layer["mark"]["type"] for layer in spec["layer"]] == ["line", "point"]


def test_lacking_curves_and_metrics_are_said_with_what_there_is():
    with pytest.raises(RecordError, match="child: no curve of truncation; it has no curves"):
        robustness_curves({"child": {}}, "truncation")
    with pytest.raises(RecordError, match="no curve of missingness by_block; it has missingness comp"):
        robustness_curves({"a": curves_of()}, "missingness", "by_block")
    with pytest.raises(RecordError, match=r"a: missingness: unknown metric 'auroq'\. Did you mean 'auroc'"):
        robustness_curves({"a": curves_of()}, "missingness", metric="auroq")


def test_names_stay_data_and_become_no_syntax(tmp_path):
    found = of_layers(tmp_path / "a.json", dict.fromkeys(ODD, 1.0))
    charts = [
        heat_map(dict.fromkeys(ODD, found), "gradient_norms"),
        lag_curves(dict.fromkeys(ODD, stories.artifact(tmp_path / "b.json"))),
        robustness_curves(dict.fromkeys(ODD, curves_of(tuple(ODD))), "missingness", ODD[0]),
    ]
    for spec in map(spec_of, charts):
        fields = set(_all_values(spec, "field"))
        assert fields <= {"run", "layer", "epoch", "value", "lag", "mass", "strength", "low", "high"}
        assert {row["run"] for row in rows_of(spec)} == set(ODD)


def _all_values(node, key):
    if isinstance(node, dict):
        yield from ([node[key]] if key in node else [])
        node = [value for name, value in node.items() if name != "data"]
    if isinstance(node, list):
        for item in node:
            yield from _all_values(item, key)
