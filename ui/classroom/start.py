"""Start Digit Lab for a class: on all interfaces, with an address to join and an admin secret.

python -m ui.classroom.start [--address HOST] [--port PORT]
"""

import argparse
import ipaddress
import os
import secrets
import socket
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[2]


def own_address() -> str:
    """Return the address at which other machines on the network reach this one."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as route:
            route.connect(("192.0.2.1", 9))  # chooses the interface; no packet is sent
            return str(route.getsockname()[0])
    except OSError:  # there is no route to other networks
        return socket.gethostname()


def join_address(host: str, port: int) -> str:
    """Return the URL that a class opens."""
    try:
        six = ipaddress.ip_address(host).version == 6
    except ValueError:
        six = False  # a name
    return f"http://[{host}]:{port}" if six else f"http://{host}:{port}"


def main() -> None:
    """Print the address and the secret, then replace this process by the server."""
    parser = argparse.ArgumentParser(prog="python -m ui.classroom.start")
    parser.add_argument("--address", default="", help="this machine's name or address, to join")
    parser.add_argument("--port", type=int, default=8501)
    options = parser.parse_args()
    host = options.address or own_address()
    address = join_address(host, options.port)
    given = os.environ.get("DIGITLAB_ADMIN")
    secret = given or secrets.token_hex(6)
    print(f"\n  Digit Lab for a class. Join at    {address}")
    print(f"  The screen with its QR code is    {address}/classroom")
    print(f"  Admin secret, under your name:    {'DIGITLAB_ADMIN, as set' if given else secret}\n")
    sys.stdout.flush()
    os.environ |= {"DIGITLAB_CLASS": address, "DIGITLAB_ADMIN": secret}
    os.chdir(_ROOT)  # for .streamlit/config.toml
    everywhere = ["--server.address", "0.0.0.0", "--server.port", str(options.port)]  # noqa: S104
    streamlit = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py"]
    os.execv(sys.executable, [*streamlit, *everywhere, "--browser.serverAddress", host])  # noqa: S606


if __name__ == "__main__":
    main()
