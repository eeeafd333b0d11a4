from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch

from probatum._errors import UsageError
from probatum.training.machine import make_machine, resolve_devices
from probatum.training.places import check_places

ON_A_CPU = [
    ({"strategy": "fsdp"}, "fsdp needs CUDA"),
    ({"mixed_precision": True, "amp_dtype": "float16"}, "float16 needs a CUDA device"),
]


def asked(**changed):
    base = {"devices": ("cpu",), "strategy": "single", "mixed_precision": False, "amp_dtype": "bfloat16"}
    return SimpleNamespace(**{**base, **changed})


@pytest.mark.parametrize(("changed", "words"), ON_A_CPU)
def test_what_a_cpu_cannot_do_is_refused_before_a_folder_is_made(changed, words):
    with pytest.raises(UsageError, match=words):
        check_places(asked(**changed))


@pytest.mark.parametrize(("changed", "words"), ON_A_CPU)
def test_the_machine_refuses_it_in_the_same_words_where_auto_turned_out_to_be_a_cpu(changed, words):
    parameters = asked(devices=("auto",), **changed)
    check_places(parameters)  # nobody knows yet what auto will be
    with pytest.raises(UsageError, match=words) as refused:
        make_machine(parameters, [torch.device("cpu")])
    with pytest.raises(UsageError) as before:
        check_places(asked(**changed))
    assert str(refused.value) == str(before.value)


@pytest.mark.parametrize("name", ["tpu", "cuda:", "cuda:x", "-1", "\u00b2"])
def test_a_name_of_no_device_is_refused_by_both_in_the_same_words(name):
    with pytest.raises(UsageError, match="auto, cpu or CUDA numbers") as before:
        check_places(asked(devices=(name,)))
    with pytest.raises(UsageError) as later:
        resolve_devices((name,))
    assert str(before.value) == str(later.value)


def test_the_check_before_the_start_loads_no_torch():
    code = "import sys, probatum.training.places; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
