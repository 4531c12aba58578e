"""Model solutions of lesson 04: who sent it, and how to answer only them."""
# Typed by a learner: without annotations or docstrings.
# mypy: allow-untyped-defs
# ruff: noqa: D103

from sockkit import UnknownClient


def stamp(connection, text):
    connection.send(f"client {connection.number}: {text}")


def to_one(server, connection, text):
    number, message = text.split(" ", 1)
    server.send(int(number), f"from {connection.number}: {message}")


def to_known(server, connection, text):
    number, _, message = text.partition(" ")
    try:
        server.send(int(number), f"from {connection.number}: {message}")
    except (UnknownClient, ValueError):
        connection.send(f"no client {number}")


def to_others(server, connection, text):
    server.broadcast(f"{connection.number}: {text}", exclude=[connection.number])
