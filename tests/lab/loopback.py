"""A loopback address of this test run alone.

Ports come and go, and other programs keep trying ports that were theirs: a Jupyter client whose
kernel has ended, say, would say hello to a listener of ours. On Linux all of 127.0.0.0/8 is
loopback, so that there is room for everybody; elsewhere there is only the one address.
"""

import os
import sys

from sockkit import Server

HOST = f"127.{100 + os.getpid() % 100}.{os.getpid() // 100 % 250}.1"
if sys.platform != "linux":
    HOST = "127.0.0.1"


def upper(connection, text):
    """What most servers of these tests do with a message."""
    connection.send(text.upper())


def serve(on_message=None, **options):
    """A server at `HOST`, not started yet."""
    return Server(on_message, host=HOST, **options)
