"""`python healthcheck.py`: ends with 0 if the process of this container says that it is ready, for HEALTHCHECK."""

import os
import socket
import sys

PORT = int(os.environ.get("TRELLIS_HTTP_PORT") or os.environ.get("TRELLIS_PAYROLL_HEALTH_PORT") or 8000)

try:
    with socket.create_connection(("127.0.0.1", PORT), timeout=4) as connection:
        connection.sendall(b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answer = connection.recv(4096)
except OSError as error:
    sys.exit(f"port {PORT} does not answer: {error}")
sys.stdout.buffer.write(answer)
sys.exit(not answer.startswith(b"HTTP/1.1 200 "))
