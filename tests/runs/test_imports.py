import subprocess
import sys


def test_the_runs_room_imports_the_standard_library_only():
    code = (
        "import sys, pkgutil, importlib, probatum.runs as r\n"
        "[importlib.import_module('probatum.runs.' + m.name) for m in pkgutil.iter_modules(r.__path__)]\n"
        "top = {name.partition('.')[0] for name in sys.modules}\n"
        "print(sorted(top - set(sys.stdlib_module_names) - {'probatum', '__main__'} - before))"
    )
    before = "import sys; before = {name.partition('.')[0] for name in sys.modules}\n"
    done = subprocess.run([sys.executable, "-c", before + code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
