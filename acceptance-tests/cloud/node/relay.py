"""Connections between the network namespace of the node and that of the machine.

Each side listens on a socket in the node's directory for connections of the other side, and accepts
`CONNECT host:port` like an HTTP proxy. The processes run in that directory and use relative names of the sockets,
because the address of a socket has at most 108 bytes.
"""

import asyncio
import ipaddress

from .settings import POD_NETWORK

INSIDE_SOCKET = "inside.sock"
OUTSIDE_SOCKET = "outside.sock"

_CHUNK = 65536


async def connect(target: str, by: str | None):
    """Connects to `host:port`, through the socket `by` if it is set."""
    host, _, port = target.rpartition(":")
    if by is None:
        return await asyncio.open_connection(host.strip("[]"), int(port))
    reader, writer = await asyncio.open_unix_connection(by)
    writer.write(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
    answer = await reader.readuntil(b"\r\n\r\n")
    if b" 200 " not in answer.partition(b"\r\n")[0]:
        writer.close()
        raise ConnectionError(answer.decode(errors="replace").strip())
    return reader, writer


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copies one direction of a connection until its end, and forwards the end."""
    try:
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except (OSError, RuntimeError):
        writer.close()


async def join(one, other) -> None:
    try:
        await asyncio.gather(pump(one[0], other[1]), pump(other[0], one[1]))
    finally:
        for _, writer in (one, other):
            writer.close()


def proxy(way):
    """Returns a handler of connections with a CONNECT request. `way(host)` is the socket to the host's side."""

    async def handle(reader, writer) -> None:
        try:
            request = await reader.readuntil(b"\r\n\r\n")
            method, target, _ = request.split(b" ", 2)
            if method != b"CONNECT":
                raise ValueError(f"{method!r} is not CONNECT")
            there = await connect(target.decode(), way(target.decode().rpartition(":")[0].strip("[]")))
        except (OSError, ValueError, asyncio.IncompleteReadError) as error:
            writer.write(f"HTTP/1.1 502 Bad Gateway\r\n\r\n{error}".encode())
            writer.close()
            return
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await join((reader, writer), there)

    return handle


def forward(target: str, by: str):
    """Returns a handler that forwards connections to `target`, through the socket `by`."""

    async def handle(reader, writer) -> None:
        try:
            there = await connect(target, by)
        except (OSError, asyncio.IncompleteReadError):
            writer.close()
            return
        await join((reader, writer), there)

    return handle


def is_of_node(host: str) -> bool:
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(POD_NETWORK)
    except ValueError:
        return False


async def serve_outside(egress_socket: str) -> None:
    """Serves on the machine: connections of the API server to kubelets and pods, and connections from the node."""
    way = lambda host: INSIDE_SOCKET if is_of_node(host) else None  # noqa: E731
    await asyncio.start_unix_server(proxy(way), "\0" + egress_socket.removeprefix("@"))
    await asyncio.start_unix_server(proxy(lambda host: None), OUTSIDE_SOCKET)


async def serve_inside(ports: dict[tuple[str, int], int]) -> None:
    """Serves in the node: connections from the machine, and each (address, port) for a loopback port of the machine."""
    await asyncio.start_unix_server(proxy(lambda host: None), INSIDE_SOCKET)
    for (address, port), to in ports.items():
        await asyncio.start_server(forward(f"127.0.0.1:{to}", OUTSIDE_SOCKET), address, port)
