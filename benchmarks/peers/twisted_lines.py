"""Twisted: its receiver of lines, on the reactor it chooses by itself."""

from twisted.internet import protocol, reactor
from twisted.protocols.basic import LineOnlyReceiver


class Shout(LineOnlyReceiver):
    """One client."""

    delimiter = b"\n"

    def connectionMade(self) -> None:
        self.transport.setTcpNoDelay(True)

    def lineReceived(self, line: bytes) -> None:
        self.sendLine(line.upper())


factory = protocol.Factory.forProtocol(Shout)
factory.noisy = False
port = reactor.listenTCP(0, factory, interface="127.0.0.1")
print(port.getHost().port, flush=True)
reactor.run()
