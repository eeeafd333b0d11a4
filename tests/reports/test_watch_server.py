import http.client
import json
import runpy
import socket
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from probatum._errors import RecordError, UsageError
from probatum.reports.watch.server import ADDRESS, WatchServer
from probatum.reports.watch.state import Watcher

explained = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("explained.py"))))
LOUD = "<script>alert(1)</script>"


@pytest.fixture
def place(tmp_path):
    root = tmp_path / "runs"
    explained.run(root, LOUD, 1, 0.5)
    (tmp_path / "secret.txt").write_text("secret")
    return root


@pytest.fixture
def serve(place):
    """Return a function that starts a server over the place; all of them are stopped at the end."""
    started = []

    def start(**options):
        server = WatchServer(Watcher(place), 0, **options)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        started.append((server, thread))
        return server

    yield start
    for server, thread in started:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def server(serve):
    return serve()


def ask(server, path="/", method="GET", **headers):
    """Send a real request and return the answer with its text; `Host` is the server's own unless given."""
    connection = http.client.HTTPConnection(ADDRESS, server.server_port, timeout=10)
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        named = {
            "Host": f"{ADDRESS}:{server.server_port}",
            **{k.replace("_", "-"): v for k, v in headers.items()},
        }
        for name, value in named.items():
            for one in [value] if isinstance(value, str) else value or []:
                connection.putheader(name, one)
        connection.endheaders()
        answer = connection.getresponse()
        return SimpleNamespace(status=answer.status, headers=answer.headers, text=answer.read().decode())
    finally:
        connection.close()


def raw(server, text):
    """Send bytes as they are and return everything that comes back."""
    with socket.create_connection((ADDRESS, server.server_port), timeout=10) as connection:
        connection.sendall(text)
        connection.shutdown(socket.SHUT_WR)
        parts = []
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts).decode()


def test_it_listens_on_the_loopback_address_alone(server):
    assert server.server_address[0] == "127.0.0.1"


def test_the_list_shows_runs_with_their_names_as_text(server):
    answer = ask(server)
    assert answer.status == 200
    assert LOUD not in answer.text
    assert "&lt;script&gt;" in answer.text
    assert 'http-equiv="refresh" content="5"' in answer.text


def test_a_run_has_its_page(server, place):
    [name] = [run.name for run in Watcher(place).look().runs]
    answer = ask(server, f"/runs/{name}")
    assert answer.status == 200
    assert name in answer.text
    assert LOUD not in answer.text


def test_the_state_is_json(server):
    answer = ask(server, "/state.json")
    assert answer.headers["Content-Type"] == "application/json"
    assert json.loads(answer.text)["runs"][0]["status"] == "completed"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "0.0.0.0:{port}", ""]
)
def test_another_host_is_refused(server, host):
    answer = ask(server, Host=host.format(port=server.server_port))
    assert answer.status == 403
    assert "script" not in answer.text


def test_localhost_is_its_own_name(server):
    assert ask(server, Host=f"localhost:{server.server_port}").status == 200


def test_two_hosts_are_refused(server):
    own = f"{ADDRESS}:{server.server_port}"
    assert ask(server, Host=[own, "evil.example"]).status == 403


def test_no_host_is_refused(server):
    assert ask(server, Host=[]).status == 403
    assert raw(server, b"GET / HTTP/1.0\r\n\r\n").startswith("HTTP/1.1 403")


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:1"])
def test_another_origin_is_refused(server, origin):
    assert ask(server, Origin=origin).status == 403


def test_what_another_site_embeds_is_refused_and_a_link_is_followed(server):
    for path in ("/", "/state.json", "/style.css"):
        assert ask(server, path, Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors").status == 403
    assert ask(server, Sec_Fetch_Site="same-site", Sec_Fetch_Mode="cors").status == 403
    assert ask(server, Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate").status == 200
    assert ask(server, "/style.css", Sec_Fetch_Site="same-origin", Sec_Fetch_Mode="no-cors").status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "BREW"])
def test_nothing_but_get_and_head_is_answered(server, method):
    answer = ask(server, method=method)
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_head_has_no_body(server):
    whole, head = ask(server, "/style.css"), ask(server, "/style.css", method="HEAD")
    assert (head.status, head.text) == (200, "")
    assert head.headers["Content-Length"] == whole.headers["Content-Length"]


@pytest.mark.parametrize(
    "path",
    ["/runs/../secret.txt", "/runs/..%2fsecret.txt", "/runs/%2e%2e/%2e%2e/secret.txt", "/../secret.txt", "/runs/",
     "/runs/.", "/runs/%00", "/secret.txt", "/runs/..", "/runs/%2Fetc%2Fpasswd", "/favicon.ico"],
)  # fmt: skip
def test_no_path_leads_out_of_the_list(server, path):
    answer = ask(server, path)
    assert answer.status == 404
    assert "secret" not in answer.text


@pytest.mark.parametrize("target", ["http://evil.example/", "//evil.example/", "*"])
def test_a_target_that_is_no_path_is_refused(server, target):
    assert ask(server, target).status in (400, 404)


@pytest.mark.parametrize("path", ["/", "/state.json", "/style.css", "/nothing"])
def test_every_answer_carries_the_headers_that_shut_other_sites_out(server, path):
    headers = ask(server, path, Origin=f"http://{ADDRESS}:{server.server_port}").headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"
    assert not [name for name in headers if name.lower().startswith("access-control")]
    assert "Python" not in headers["Server"]


def test_a_refusal_repeats_nothing_of_the_request(server):
    assert "evil" not in ask(server, "/evil<b>", Host="evil.example").text


def test_a_malformed_request_is_answered_without_a_traceback(server, capfd):
    for request in (b"GET / HTTP/9.9.9\r\n\r\n", b"<evil>\r\n\r\n", b"GET " + b"/" * 70_000 + b"\r\n\r\n"):
        answer = raw(server, request)
        assert answer.startswith("HTTP/1.1 400")
        assert "nosniff" in answer
        assert "evil" not in answer
    assert ask(server).status == 200
    assert capfd.readouterr().err == ""


def test_a_finished_run_shows_its_report_made_once(serve, place):
    made = []

    def report(paths):
        made.append(paths.name)
        return "<!doctype html><title>report</title>"

    server = serve(report=report)
    name = Watcher(place).look().runs[0].name
    assert "report" in ask(server, f"/runs/{name}").text
    answer = ask(server, f"/runs/{name}")
    assert made == [name]
    assert "connect-src 'none'" in answer.headers["Content-Security-Policy"]


def test_a_run_whose_record_gives_no_report_has_the_simple_page(serve, place):
    def report(paths):
        raise RecordError("torn")

    server = serve(report=report)
    name = Watcher(place).look().runs[0].name
    assert "Where it stands" in ask(server, f"/runs/{name}").text


def test_many_ask_at_once(server):
    found = []
    threads = [threading.Thread(target=lambda: found.append(ask(server).status)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [200] * 8


def test_a_port_that_is_taken_says_what_to_do(server, place):
    with pytest.raises(UsageError, match="--port"):
        WatchServer(Watcher(place), server.server_port)
