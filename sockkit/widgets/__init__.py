"""Panels and live views over the public API, for notebooks. Needs ipywidgets and anywidget.

    ServerPanel, ClientPanel      the two windows: controls, clients, messages
    ClientTable                   who is connected, who left and why
    MessageLadder                 who sent what to whom
    ThreadLanes                   which thread or task did what, and when
    WireView                      the bytes of each receive, and the messages in them
    SocketStates                  the TCP state of both ends of each connection

All of them show themselves in a cell, tell themselves as text with `to_text()`, are closed with
`close()` or a `with` block, and may be used from any thread. `close_all()` closes them all.
"""

from sockkit.widgets.client_panel import ClientPanel
from sockkit.widgets.ladder import MessageLadder
from sockkit.widgets.lanes import ThreadLanes
from sockkit.widgets.page import close_all
from sockkit.widgets.server_panel import ServerPanel
from sockkit.widgets.states import SocketStates
from sockkit.widgets.table import ClientTable
from sockkit.widgets.wire import WireView

__all__ = [
    "ClientPanel",
    "ClientTable",
    "MessageLadder",
    "ServerPanel",
    "SocketStates",
    "ThreadLanes",
    "WireView",
    "close_all",
]
