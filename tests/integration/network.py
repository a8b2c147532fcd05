"""Hosts as network namespaces of this machine, a router between them, and real connections.

The namespaces have no names: they live as long as this process holds them open. So nothing is left behind
however it ends, runs beside each other never meet, and no packet leaves the machine.
"""

import ctypes
import errno
import os
import resource
import select
import socket
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Self

from tests.integration.processes import run
from tests.reachability import Connection

KINDS = {"TCP": socket.SOCK_STREAM, "UDP": socket.SOCK_DGRAM}
"""The protocols that hosts speak."""

_GATEWAY = "10.244.0.1"
_IP = ("ip", "-batch")
_AT_ONCE = 400
_PATIENCE = 20
"""Seconds without any answer, good or bad, until something is broken; a refusal comes at once."""

_REFUSALS = {"TCP": errno.ECONNREFUSED, "UDP": errno.EHOSTUNREACH}
"""What a client sees of `reject with tcp reset` and `reject with icmp admin-prohibited`."""

_MEMORY = """
table ip memory {{
  chain arriving {{
    type filter hook prerouting priority raw
    ct zone set {zone}
  }}
}}
"""
"""A firewall lets pass whatever belongs to a connection that it remembers: new rules start with no memory."""

_NEW_NETWORK = 0x40000000  # CLONE_NEWNET
_LIBC = ctypes.CDLL(None, use_errno=True)  # os.setns and os.unshare came with Python 3.12
_OWN = "/proc/thread-self/ns/net"


class Namespace:
    """A network of its own, with nothing in it but its loopback."""

    def __init__(self) -> None:
        """Create it; raises OSError where this user or this kernel cannot."""
        with _elsewhere("unshare"):
            self._file = os.open(_OWN, os.O_RDONLY)

    @property
    def path(self) -> str:
        """What ``ip`` takes for its name."""
        return f"/proc/{os.getpid()}/fd/{self._file}"

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Be in it: sockets made here stay in it, programs started here live in it. Other threads do not."""
        with _elsewhere("setns", self._file):
            yield

    def run(self, *command: str, lines: Iterable[str]) -> None:
        """Let a program in it read these lines."""
        with self.entered():
            done = run([*command, "-"], text="\n".join(lines))
        if done.returncode:
            raise OSError(f"{command[0]}: {done.stderr.strip()}")

    def close(self) -> None:
        """Let go of it: the kernel removes it with its last socket."""
        os.close(self._file)


@contextmanager
def _elsewhere(call: str, *arguments: int) -> Iterator[None]:
    home = os.open(_OWN, os.O_RDONLY)
    try:
        _system_call(call, *arguments, _NEW_NETWORK)
        try:
            yield
        finally:
            _system_call("setns", home, _NEW_NETWORK)
    finally:
        os.close(home)


def _system_call(name: str, *arguments: int) -> None:
    if getattr(_LIBC, name)(*arguments):
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


class Network:
    """Hosts around one router, which forwards everything until it is given rules."""

    def __init__(self, hosts: Iterable[Mapping[str, str]], ports: Iterable[int]) -> None:
        """Create hosts, each given its addresses by name; all answer on these ports, by TCP and UDP."""
        self._zone = 0
        self._namespaces: dict[str, Namespace] = {}
        self._addresses: dict[str, str] = {}
        with ExitStack() as stack:
            self._router = _opened(stack)
            for number, addresses in enumerate(hosts):
                self._attach(_opened(stack), f"host{number}", addresses)
            self._prepare_router()
            stack.enter_context(_many_files())
            listeners = [each for name in self._addresses for each in self._listening(name, ports)]
            stack.enter_context(_answering(listeners))
            self._stack = stack.pop_all()

    def __enter__(self) -> Self:
        """Return the network, up."""
        return self

    def __exit__(self, *_: object) -> None:
        """Take it down."""
        self._stack.close()

    def enforce(self, rules: Iterable[str]) -> None:
        """Let the router filter by these rules of nftables, and by nothing else."""
        self._zone += 1
        memory = _MEMORY.format(zone=self._zone)
        self._router.run("nft", "-f", lines=["flush ruleset", memory, *rules])

    def made(self, connections: Iterable[Connection]) -> set[Connection]:
        """Try to open these connections; return those that were answered, and by whom was asked.

        The others were refused by the router. Whatever else happens to one is an error: it would say nothing
        about rules.
        """
        todo = sorted(connections)
        parts = (todo[start : start + _AT_ONCE] for start in range(0, len(todo), _AT_ONCE))
        return {connection for part in parts for connection in self._made_at_once(part)}

    def _attach(self, host: Namespace, link: str, addresses: Mapping[str, str]) -> None:
        self._namespaces |= dict.fromkeys(addresses, host)
        self._addresses |= addresses
        self._router.run(
            *_IP,
            lines=[
                f"link add {link} type veth peer name eth0 netns {host.path}",
                f"link set {link} up",
                *(f"route add {address} dev {link}" for address in addresses.values()),
            ],
        )
        host.run(
            *_IP,
            lines=[
                *(f"address add {address} dev eth0" for address in addresses.values()),
                "link set eth0 up",
                f"route add {_GATEWAY} dev eth0",
                f"route add default via {_GATEWAY} dev eth0",
            ],
        )

    def _prepare_router(self) -> None:
        self._router.run(*_IP, lines=["link set lo up", f"address add {_GATEWAY} dev lo"])
        with self._router.entered():
            Path("/proc/sys/net/ipv4/ip_forward").write_text("1", encoding="utf-8")
            # Refusals are ICMP messages, of which a kernel sends but a few each second.
            Path("/proc/sys/net/ipv4/icmp_ratemask").write_text("0", encoding="utf-8")

    def _listening(self, name: str, ports: Iterable[int]) -> Iterator[socket.socket]:
        with self._namespaces[name].entered():
            for port in ports:
                for kind in KINDS.values():
                    listener = socket.socket(socket.AF_INET, kind)
                    listener.settimeout(0)
                    listener.bind((self._addresses[name], port))
                    if kind == socket.SOCK_STREAM:
                        listener.listen(_AT_ONCE)
                    yield listener

    def _made_at_once(self, connections: Iterable[Connection]) -> Iterator[Connection]:
        with ExitStack() as stack:
            poll = stack.enter_context(select.epoll())
            waiting: dict[int, tuple[socket.socket, Connection]] = {}
            for source, group in groupby(connections, itemgetter(0)):
                with self._namespaces[source].entered():
                    for connection in group:
                        client = stack.enter_context(socket.socket(socket.AF_INET, KINDS[connection[3]]))
                        self._open(client, connection)
                        poll.register(client, select.EPOLLIN)
                        waiting[client.fileno()] = client, connection
            while waiting:
                ready = poll.poll(_PATIENCE)
                assert ready, f"neither answered nor refused: {[each for _, each in waiting.values()]}"
                for number, _ in ready:
                    client, connection = waiting.pop(number)
                    poll.unregister(client)
                    if self._answered(client, connection):
                        yield connection

    def _open(self, client: socket.socket, connection: Connection) -> None:
        source, destination, port, protocol = connection
        client.settimeout(0)
        client.bind((self._addresses[source], 0))
        client.connect_ex((self._addresses[destination], port))
        if protocol == "UDP":
            client.send(b"?")

    def _answered(self, client: socket.socket, connection: Connection) -> bool:
        _, destination, port, protocol = connection
        try:
            answer = client.recv(64)
        except OSError as error:
            if error.errno != _REFUSALS[protocol]:
                raise
            return False
        assert answer == _answer((self._addresses[destination], port)), f"{connection}: {answer!r} answered"
        return True


def _opened(stack: ExitStack) -> Namespace:
    namespace = Namespace()
    stack.callback(namespace.close)
    return namespace


@contextmanager
def _many_files() -> Iterator[None]:
    """Every listener is an open file, of which a process may have but a thousand by default."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def _answer(address: tuple[str, int]) -> bytes:
    return f"{address[0]} port {address[1]}".encode()


@contextmanager
def _answering(listeners: Sequence[socket.socket]) -> Iterator[None]:
    """Tell everyone who connects to a listener, or sends something to it, whom they have reached."""
    with ExitStack() as stack:
        poll = stack.enter_context(select.epoll())
        for listener in listeners:
            stack.enter_context(listener)
            poll.register(listener, select.EPOLLIN)
        ended, end = os.pipe()
        poll.register(ended, select.EPOLLIN)
        by_number = {listener.fileno(): listener for listener in listeners}
        thread = threading.Thread(target=_answer_all, args=(poll, by_number, ended))
        thread.start()
        try:
            yield
        finally:
            os.close(end)
            thread.join()
            os.close(ended)


def _answer_all(poll: select.epoll, listeners: Mapping[int, socket.socket], ended: int) -> None:
    while True:
        for number, _ in poll.poll():
            if number == ended:
                return
            with suppress(BlockingIOError):
                _answer_one(listeners[number])


def _answer_one(listener: socket.socket) -> None:
    answer = _answer(listener.getsockname())
    if listener.type == socket.SOCK_STREAM:
        client, _ = listener.accept()
        with client:
            client.send(answer)
    else:
        _, sender = listener.recvfrom(64)
        listener.sendto(answer, sender)
