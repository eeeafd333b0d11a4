import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probatum._errors import ParameterError
from probatum._jq import jq_text
from probatum.parameters import Parameters, config_md5, defaults_md5, normalized_config_hash, parameter

KNOWN = json.loads((Path(__file__).parent / "known_defaults.json").read_text())
NUMBERS = [1.7571e-05, 1e-07, 0.1, 1.0, 1e17, 1e15, 1e16, -0.0, 5e-324, 1e300, 2**53 + 1, 10**30, 0.0001]


class Small(Parameters):
    rate: float = parameter("training", "step size")
    threads: int = parameter("runtime", "CPU threads")


def _jq_version() -> str:
    if shutil.which("jq") is None:
        return ""
    return subprocess.run(["jq", "--version"], capture_output=True, text=True, check=True).stdout.strip()


JQ = _jq_version()
needs_jq = pytest.mark.skipif(
    not JQ.startswith(("jq-1.5", "jq-1.6")), reason=f"needs jq 1.5 or 1.6, found {JQ or 'none'}"
)


def _jq(program: list[str], text: bytes) -> bytes:
    return subprocess.run(["jq", *program], input=text, capture_output=True, check=True).stdout


def _printed(config: object) -> bytes:
    return _jq(["-S", "."], _jq(["del(.runtime.timestamp, .config_md5)"], json.dumps(config).encode()))


def test_the_known_69_parameters_give_their_recorded_md5():
    assert len(KNOWN) == 69
    assert defaults_md5(KNOWN) == "c5503676a35a1535d40070f8983caf03"


def test_defaults_md5_does_not_depend_on_the_order():
    assert defaults_md5(dict(reversed(KNOWN.items()))) == defaults_md5(KNOWN)


def test_a_nan_is_refused_instead_of_hashed():
    with pytest.raises(ParameterError, match="finite"):
        defaults_md5({"rate": float("nan")})


def test_config_md5_leaves_the_runtime_category_out():
    assert config_md5("s", 3, Small(rate=1, threads=1)) == config_md5("s", 3, Small(rate=1.0, threads=8))


def test_config_md5_changes_with_parameter_study_and_schema():
    base = Small(rate=1.0, threads=1)
    hashes = {config_md5("s", 3, base), config_md5("t", 3, base), config_md5("s", 4, base)}
    assert len(hashes | {config_md5("s", 3, Small(rate=2.0, threads=1))}) == 4


def test_zero_has_one_sign_so_that_equal_parameters_hash_equally():
    assert config_md5("s", 3, Small(rate=-0.0, threads=1)) == config_md5("s", 3, Small(rate=0.0, threads=1))


def test_normalized_hash_ignores_the_timestamp_and_the_own_hash():
    first = {"a": 1, "config_md5": "x", "runtime": {"timestamp": "t1", "threads": 1}}
    second = {"a": 1, "config_md5": "y", "runtime": {"timestamp": "t2", "threads": 1}}
    assert normalized_config_hash(first) == normalized_config_hash(second)
    assert first["runtime"]["timestamp"] == "t1"


def test_a_runtime_that_is_no_block_is_refused():
    with pytest.raises(ParameterError, match="block"):
        normalized_config_hash({"runtime": 5})


@needs_jq
def test_numbers_are_printed_as_jq_prints_them():
    assert jq_text(NUMBERS).encode() + b"\n" == _jq(["-S", "."], json.dumps(NUMBERS).encode())


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@needs_jq
@settings(max_examples=60, deadline=None)
@given(config=st.dictionaries(TEXTS, VALUES, max_size=5), runtime=st.dictionaries(TEXTS, VALUES, max_size=3))
def test_normalized_hash_is_what_jq_and_md5sum_print(config, runtime):
    config |= {"config_md5": "x", "runtime": runtime | {"timestamp": "now"}}
    expected = hashlib.md5(_printed(config)).hexdigest()
    assert normalized_config_hash(config) == expected
