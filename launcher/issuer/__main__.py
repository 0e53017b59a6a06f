"""The development issuer: a small process that publishes the keys by which the services prove tokens."""

from argparse import ArgumentParser
from pathlib import Path

import uvicorn

from launcher.issuer.application import issuer_app
from launcher.issuer.signing_keys import SigningKeys


def main() -> None:
    parser = ArgumentParser(prog="python -m launcher.issuer", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="the state folder, usually .trellis")
    parser.add_argument(
        "--private-key", type=Path, help="an EC key (P-256, PEM) that signs from now on; unset: its own"
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    asked = parser.parse_args()
    keys = SigningKeys(asked.folder)
    if asked.private_key is not None:
        keys.sign_with(asked.private_key.read_bytes())
    keys.newest()
    uvicorn.run(issuer_app(asked.folder), host=asked.host, port=asked.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
