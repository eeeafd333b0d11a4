"""Runs the independent validator of RO-Crates (`roc-validator`) on a crate without a network.

    python crate_validator.py CRATE CONTEXT SEVERITY

It is executed by the interpreter of an environment that has `roc-validator`, which may be another one than that of
the tests. The context that a crate names by its address is put into the validator's own cache first.
"""

import io
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ADDRESS = "https://w3id.org/ro/crate/1.1/context"


def fill(cache: Path, content: bytes) -> None:
    """Put a document into the validator's cache, as if it had been fetched."""
    from requests.adapters import HTTPAdapter  # here: the tests' own environment may have none of these
    from requests_cache import CachedSession
    from urllib3 import HTTPResponse

    class Shelf(HTTPAdapter):
        def send(self, request, *_, **__):
            headers = {"Content-Type": "application/ld+json"}
            raw = HTTPResponse(
                io.BytesIO(content), headers, 200, preload_content=False, request_url=request.url
            )
            return self.build_response(request, raw)

    session = CachedSession(cache_name=str(cache), backend="sqlite", expire_after=-1)
    session.mount("https://", Shelf())
    session.get(ADDRESS)
    session.close()


def main(crate: str, context: str, severity: str) -> int:
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder) / "cache"
        fill(cache, Path(context).read_bytes())
        if crate.endswith(".zip"):  # the validator's JSON report fails on a zip (0.13.0)
            shutil.unpack_archive(crate, f"{folder}/crate")
            crate = f"{folder}/crate"
        words = ["validate", crate, "-p", "process-run-crate-0.5", "-l", severity, "--offline", "--no-paging"]
        program = [str(Path(sys.executable).parent / "rocrate-validator"), "-y", "--disable-color"]
        where = ["--cache-path", str(cache), "-f", "json", "-o", "/dev/stdout"]
        return subprocess.run([*program, *words, *where], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
