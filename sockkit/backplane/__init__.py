"""Several servers, in other processes or on other machines, act as one.

    from sockkit.backplane import RedisBackplane

    server = Server(on_message, backplane=RedisBackplane("redis://127.0.0.1", server="a"))

    server.broadcast("hello")                 # to every client of every server
    server.backplane.clients                  # ('1@a', '2@a', '1@b')
    server.backplane.send("1@b", "psst")      # to client 1 of server b, and to nobody else
    server.backplane.state                    # 'connected', or 'alone' while there is no Redis

A client is `number@server`: the numbers stay each server's own. All servers of one `group` use the
same framing. `RedisBackplane` goes over a Redis server (7 or so; extra `cluster`); for servers
within one process there is `MemoryBackplane`, with the same interface.

What is promised:

* At most once. A message reaches a client of another server once or not at all, never twice. It is
  lost if Redis, or the way to it, fails at the wrong moment, and nobody tells. It is not sent
  again, because then it might come twice.
* Order. What one server broadcasts and sends reaches each client in that order. Messages of
  different servers may reach different clients in different orders.
* Clients at home come first. They are served whether there is a Redis or not, with the same
  promises as ever; what is broadcast here does not come back from the others.
* The list of clients heals. Who dies without a word is off everybody's list within two `expiry`,
  and who comes back is on it again.

What is not promised: that the list is right at this moment (it is late by some 50 ms, and by up to
two `expiry` after a crash); that a message is there when `broadcast` returns (that returns the
count of the clients here); that nothing was lost while `state` was `alone`; or any secrecy. Whoever
can publish in that Redis can speak as any server: give it a password, and TLS (`rediss://`) where
the network is not yours.
"""

from sockkit.backplane.memory import MemoryBackplane, MemoryHub
from sockkit.backplane.over_redis import RedisBackplane
from sockkit.backplane.wire import State

__all__ = ["MemoryBackplane", "MemoryHub", "RedisBackplane", "State"]
