"""Connections between the network namespace of the node and that of the machine.

Either side listens on a socket in the node's directory, and takes `CONNECT host:port` as an HTTP proxy does; the
other side's connections arrive there. A process uses sockets by names relative to that directory, in which it runs,
because the address of a socket holds no more than 108 bytes.
"""

import asyncio
import ipaddress

from .settings import POD_NETWORK

INSIDE_SOCKET = "inside.sock"
OUTSIDE_SOCKET = "outside.sock"

_CHUNK = 65536


async def connect(target: str, by: str | None):
    """To `host:port`; through the socket `by`, if there is one."""
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
    """One direction, until its end, which is passed on."""
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
    """A handler of connections that say where they want to go; `way(host)` is the socket that leads there."""

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
    """A handler of connections that all go to `target`, through the socket `by`."""

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
    """On the machine: for the API server, which looks for kubelets and pods, and for what the node asks for."""
    way = lambda host: INSIDE_SOCKET if is_of_node(host) else None  # noqa: E731
    await asyncio.start_unix_server(proxy(way), "\0" + egress_socket.removeprefix("@"))
    await asyncio.start_unix_server(proxy(lambda host: None), OUTSIDE_SOCKET)


async def serve_inside(ports: dict[tuple[str, int], int]) -> None:
    """In the node: for the other side, and at each (address, port) for a port of the machine's loopback."""
    await asyncio.start_unix_server(proxy(lambda host: None), INSIDE_SOCKET)
    for (address, port), to in ports.items():
        await asyncio.start_server(forward(f"127.0.0.1:{to}", OUTSIDE_SOCKET), address, port)
