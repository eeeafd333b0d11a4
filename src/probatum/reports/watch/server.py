"""`watch --web`: a read-only server on this machine's own address, safe against other sites.

It listens on 127.0.0.1 alone and answers GET and HEAD alone. A page of another site can make a browser send
requests here, under a name of its own that points here (DNS rebinding) or across sites: what is not addressed to
this very address and port is refused, as is what a browser says comes from another site, and no header ever allows
another site to read an answer. Runs are looked up by name among those that are listed: no path is joined.

Source: Fetch Metadata Request Headers (W3C); RFC 9110, 7.2 (Host).
"""

from __future__ import annotations

import errno
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from probatum._errors import ProbatumError, UsageError
from probatum._files import strict_json
from probatum.reports.watch.pages import STYLE, Report, list_page, page, run_page
from probatum.reports.watch.state import RunView, Watcher, read_view
from probatum.runs.paths import RunPaths

ADDRESS = "127.0.0.1"  # loopback, and nothing else
METHODS = ("GET", "HEAD")
STRICT = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
# A report brings its own, narrower policy for its scripts: this one keeps it from asking anything of anyone.
REPORT = "connect-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_HTML = "text/html; charset=utf-8"
_REFUSED = {
    400: "The request could not be understood.", 403: "This server answers only its own address.",
    404: "No such page.", 405: "Only GET and HEAD: this server changes nothing.",
}  # fmt: skip


class WatchServer(ThreadingHTTPServer):
    """Serves the list of runs and each run's page.

    Args:
        watcher: What is shown.
        port: Where; 0 takes a free one.
        refresh_seconds: How often the pages load themselves again.
        report: Makes the page of a finished run; the simple one where None.

    Raises:
        UsageError: the port is taken or may not be used.
    """

    daemon_threads = True

    def __init__(
        self, watcher: Watcher, port: int = 0, *, refresh_seconds: float = 5.0, report: Report | None = None
    ) -> None:
        self.watcher = watcher
        self.refresh_seconds = refresh_seconds
        self.report = report
        self.looking = threading.Lock()  # one look at a time: the watcher remembers what it read
        self._kept: tuple[Any, str] | None = None
        try:
            super().__init__((ADDRESS, port), _Handler)
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
            raise UsageError(
                f"port {port} of {ADDRESS}: {error.strerror}. Choose another with --port, or 0 for a free one."
            ) from None

    @property
    def address(self) -> str:
        """Where a browser finds it."""
        return f"http://{ADDRESS}:{self.server_port}/"

    @property
    def hosts(self) -> frozenset[str]:
        """The only names under which it answers."""
        ports = ("", f":{self.server_port}") if self.server_port == 80 else (f":{self.server_port}",)
        return frozenset(f"{name}{port}" for name in (ADDRESS, "localhost") for port in ports)

    def answer(self, path: str) -> tuple[int, str, str, str]:
        """Return status, content type, policy and content for a path without its query."""
        if path == "/":
            with self.looking:
                view = self.watcher.look()
            return 200, _HTML, STRICT, list_page(view, self.refresh_seconds)
        if path == "/style.css":
            return 200, "text/css; charset=utf-8", STRICT, STYLE
        if path == "/state.json":
            with self.looking:
                view = self.watcher.look()
            return 200, "application/json", STRICT, strict_json(view.as_record())
        if path.startswith("/runs/"):
            return self._run(unquote(path.removeprefix("/runs/")))
        return self.refusal(404)

    def _run(self, name: str) -> tuple[int, str, str, str]:
        with self.looking:
            paths = self.watcher.folders().get(name)
        if paths is None:
            return self.refusal(404)
        view = read_view(paths)
        report = None if view.status == "running" else self._reported(view, paths)
        if report is None:
            return 200, _HTML, STRICT, run_page(view, paths, self.refresh_seconds)
        return 200, _HTML, REPORT, report

    def _reported(self, view: RunView, paths: RunPaths) -> str | None:
        """Return the report of a finished run, made once; None where none can be made of its record."""
        if self.report is None:
            return None
        stamp = view.name, view.status, view.updated_at, view.epochs_done
        if self._kept is None or self._kept[0] != stamp:
            try:
                self._kept = stamp, self.report(paths)  # one: a report is large
            except ProbatumError:
                return None
        return self._kept[1]

    @staticmethod
    def refusal(status: int) -> tuple[int, str, str, str]:
        """Return the answer to what is not served; it repeats nothing of the request."""
        return status, _HTML, STRICT, page(f"{status}", f"<p>{_REFUSED[status]}</p>")


class _Handler(BaseHTTPRequestHandler):
    server: WatchServer  # pyright: ignore[reportIncompatibleVariableOverride]
    protocol_version = "HTTP/1.1"
    timeout = 10  # seconds for a request to arrive: a slow one must not hold a thread for ever
    server_version, sys_version = "probatum", ""

    def parse_request(self) -> bool:
        """Refuse whatever is no GET or HEAD of this very address, before anything looks at it."""
        if not super().parse_request():
            return False
        status = self._objection()
        if status:
            self.close_connection = True  # a body may follow that nobody reads
            self._send(self.server.refusal(status))
        return not status

    def do_GET(self) -> None:
        """Answer with a page."""
        self._send(self.server.answer(urlsplit(self.path).path))

    do_HEAD = do_GET  # noqa: N815

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what is no request at all in the same words as the rest: `http.server` would repeat it."""
        self.close_connection, self.request_version = True, self.protocol_version
        self._send(self.server.refusal(400))

    def _objection(self) -> int:
        """Return the status of a refusal, 0 where there is nothing to refuse."""
        hosts = self.headers.get_all("Host") or []
        if len(hosts) != 1 or hosts[0].strip().lower() not in self.server.hosts:
            return 403
        origin = self.headers.get("Origin")
        if origin is not None and origin.lower() not in {f"http://{host}" for host in self.server.hosts}:
            return 403
        across = self.headers.get("Sec-Fetch-Site", "none").lower() in ("cross-site", "same-site")
        if across and self.headers.get("Sec-Fetch-Mode", "").lower() != "navigate":
            return 403
        if self.command not in METHODS:
            return 405
        return 0 if self.path.startswith("/") and not self.path.startswith("//") else 400

    def _send(self, answer: tuple[int, str, str, str]) -> None:
        status, kind, policy, text = answer
        content = text.encode("utf-8", "replace")
        self.send_response(status)
        own = {"Content-Type": kind, "Content-Length": str(len(content)), "Content-Security-Policy": policy}
        if status == 405:
            own["Allow"] = ", ".join(METHODS)
        for name, value in {**_HEADERS, **own}.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: what a client sends is not repeated on the terminal."""
