import json

import pytest

from probatum.reports.page import embedding


@pytest.mark.parametrize("text", ["</script>", "<!--", "&lt;", "\u2028\u2029", "]]>"])
def test_json_in_a_script_element_holds_no_markup_and_reads_back(text):
    written = embedding.script_json({"title": text})
    assert not set("<>&\u2028\u2029") & set(written)
    assert json.loads(written) == {"title": text}


def test_a_number_that_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="JSON"):
        embedding.script_json([float("nan")])


def test_rows_leave_the_specification_and_keep_every_cell():
    rows = [{"run": "a", "x": 1, "low": None}, {"run": "b", "x": 2.5}, {"run": "a", "x": 3}]
    layer = {"data": {"values": rows}, "mark": "line"}
    content = json.loads(embedding.chart_json({"layer": [layer], "title": "t"}))
    assert content["spec"]["layer"][0]["data"] == {"name": "rows0"}
    assert content["rows"]["rows0"] == {
        "run": {"words": ["a", "b"], "at": [0, 1, 0]}, "x": [1, 2.5, 3], "low": [None, None, None],
    }  # fmt: skip


def test_the_policy_names_what_may_run_and_nothing_else():
    policy = embedding.policy(["a()"], ["b{}"])
    assert "script-src 'sha256-" in policy
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'")


def test_a_torn_copy_of_the_bundle_is_made_anew(tmp_path, monkeypatch):
    import vl_convert

    made = []
    monkeypatch.setenv("PROBATUM_CACHE", str(tmp_path))
    monkeypatch.setattr(
        vl_convert, "javascript_bundle", lambda *a, **k: made.append(1) or "let a = '</script>';"
    )
    first = embedding.vega_bundle()
    assert embedding.vega_bundle() == first
    assert "</script" not in first
    (path,) = tmp_path.iterdir()
    path.write_text("let a")
    assert embedding.vega_bundle() == first
    assert len(made) == 2
