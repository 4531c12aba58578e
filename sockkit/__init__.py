"""Asynchronous sockets, made to be learnt: servers and clients over asyncio."""

__version__ = "0.1.0"
