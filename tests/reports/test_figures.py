import runpy
import struct
import xml.etree.ElementTree as ET
from pathlib import Path
from types import SimpleNamespace

import pytest

from probatum._errors import RecordError, UsageError
from probatum.reports.figures import PIXELS_PER_INCH, file_name, signal_charts, write_figures
from probatum.signals.artifact import ArtifactWriter
from probatum.signals.epoch import EpochSignals

stories = SimpleNamespace(**runpy.run_path(str(Path(__file__).parents[1] / "signals" / "stories.py")))
SVG = "{http://www.w3.org/2000/svg}"


def two_runs(tmp_path, **child):
    curves = {"missingness_curve": stories.curve([0.8, 0.7, 0.6], half_width=0.05)}
    parent = stories.artifact(tmp_path / "a0.json", perturbations=curves)
    other = stories.artifact(tmp_path / "a3.json", **{"perturbations": curves, "scale": 2.0, **child})
    return {"parent": parent, "child": other}


def png_size(path):
    content = path.read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", content[16:24])


def texts(path):
    """Return every text of a picture, read as XML: what is not escaped would not parse."""
    root = ET.fromstring(path.read_text())
    assert not list(root.iter(f"{SVG}script"))
    return ["".join(node.itertext()) for node in root.iter(f"{SVG}text")]


def test_every_chart_is_written_as_png_and_svg_of_one_size(tmp_path):
    charts = signal_charts(two_runs(tmp_path))
    assert list(charts) == [
        "heat_map_gradient_norms", "heat_map_weights_update_ratio", "heat_map_activation_stats_std",
        "lag_curve_attention", "missingness_auroc",
    ]  # fmt: skip
    written = write_figures(charts, tmp_path / "deep" / "figures")
    assert [path.suffix for path in written] == [".png", ".svg"] * len(charts)
    for png, svg in zip(written[::2], written[1::2], strict=True):
        width, height = (float(ET.fromstring(svg.read_text()).attrib[name]) for name in ("width", "height"))
        assert png_size(png) == pytest.approx(
            (width * PIXELS_PER_INCH / 72, height * PIXELS_PER_INCH / 72), abs=2
        )
        assert 300 < width < 900
        assert 120 < height < 1200


def test_a_picture_names_its_axes_and_its_runs(tmp_path):
    written = write_figures(signal_charts(two_runs(tmp_path)), tmp_path)
    shown = {path.stem: texts(path) for path in written if path.suffix == ".svg"}
    assert {"epoch", "L2 norm", "parent", "child", "conv1", "block.fc"} <= set(
        shown["heat_map_gradient_norms"]
    )
    assert {"mask rate: share of the observed values dropped", "auroc", "parent", "child", "0.2"} <= set(
        shown["missingness_auroc"]
    )


def test_odd_names_are_escaped_and_leave_the_folder_alone(tmp_path):
    odd = ["<script>alert(1)</script>", "../../a:b.c[0]", "x'y\"z\\"]
    writer = ArtifactWriter(tmp_path / "a.json", {})
    layers = {name: stories.statistics(norm=[1.0, 2.0]) for name in odd}
    writer.append(EpochSignals(1, gradients=layers, lag_curves={name: [0.5, 0.5] for name in odd}))
    artifact = stories.read_artifact(writer.path)
    written = write_figures(signal_charts({odd[0]: artifact, odd[1]: artifact}), tmp_path / "figures")
    assert {path.parent for path in written} == {tmp_path / "figures"}
    shown = texts(tmp_path / "figures" / "heat_map_gradient_norms.svg")
    assert set(odd) <= set(shown)


def test_layers_whose_file_names_would_be_equal_keep_a_file_each(tmp_path):
    writer = ArtifactWriter(tmp_path / "a.json", {})
    writer.append(EpochSignals(1, lag_curves={"a.b": [1.0], "a_b": [1.0], "A.b": [1.0]}))
    names = list(signal_charts({"a": stories.read_artifact(writer.path)}))
    assert [name.lower() for name in names] == ["lag_curve_a_b", "lag_curve_a_b_2", "lag_curve_a_b_3"]


def test_long_names_fit_a_file_system():
    assert len(file_name("layer." * 100)) == 120
    assert file_name("///") == "chart"


def test_further_signals_get_a_heat_map(tmp_path):
    charts = signal_charts(two_runs(tmp_path), ["activation_stats", "gradient_norms"])
    assert "heat_map_activation_stats_mean" in charts
    assert len([name for name in charts if name.startswith("heat_map_gradient_norms")]) == 1
    with pytest.raises(UsageError, match="Did you mean 'hidden_norms'"):
        signal_charts(two_runs(tmp_path / "again"), ["hidden_norm"])


def test_a_curve_that_one_run_lacks_is_left_out(tmp_path):
    assert "missingness_auroc" not in signal_charts(two_runs(tmp_path, perturbations=None))


def test_curves_added_later_are_drawn_and_go_before_the_runs_own(tmp_path):
    def whole(name, value):
        return {"kind": "missingness", "name": name, "points": stories.curve([value, 0.7, 0.6])}

    own = {"curves": [whole("by_block", 0.8)]}
    artifact = stories.artifact(tmp_path / "a0.json", perturbations=own)
    later = {"curves": [whole("by_block", 0.9), whole("informative", 0.8)]}
    charts = signal_charts({"a0": artifact}, added={"a0": later})
    assert "missingness_informative_auroc" in charts
    assert charts["missingness_by_block_auroc"].to_dict()["data"]["values"][0]["value"] == 0.9


def test_nothing_to_draw_is_said(tmp_path):
    with pytest.raises(RecordError, match="a0: nothing that a chart could show was measured"):
        signal_charts({"a0": stories.artifact(tmp_path / "a0.json", epochs=0)})


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    charts = signal_charts({"a0": stories.artifact(tmp_path / "a0.json", epochs=1)})
    with pytest.raises(UsageError, match=r"cannot write figures into .*Choose another --dir"):
        write_figures(charts, tmp_path / "file" / "figures")
