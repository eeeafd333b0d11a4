import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest


@pytest.fixture(scope="session")
def folders():
    return SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("run_folders.py"))))
