"""`python -m tests.servers.answering [NAME]`: a small process that is ready, unless its settings say otherwise."""

import os
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Final

STATUS: Final = int(os.environ.get("TRELLIS_ANSWER", "200"))


class Answering(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b'{"reasons": ["the store is away"]}'
        self.send_response(STATUS)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the overridden method's name for it
        """Says nothing: the log is for what the tests look for."""


if __name__ == "__main__":
    HTTPServer(("127.0.0.1", int(os.environ["TRELLIS_HTTP_PORT"])), Answering).serve_forever()
