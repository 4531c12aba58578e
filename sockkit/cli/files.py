"""Files that a command is told to use: certificates, keys, and what nobody else is to read.

A token or a password in the command line could be read by everybody on the machine, in the list of
processes. So it stands in a file.
"""

import ssl
from pathlib import Path


def server_tls(cert: str, key: str | None) -> ssl.SSLContext:
    """What a server needs for TLS, from files in the PEM format.

    Raises:
        ValueError: they can't be read, or are no certificate and its key.
    """
    for name in filter(None, (cert, key)):
        _read(name)  # ssl does not say which of the two is missing
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(cert, key, password=_no_password)
    except ssl.SSLError:
        names = f"{cert} and {key}" if key else cert
        raise ValueError(f"{names}: no certificate with its private key, as PEM") from None
    return context


def client_tls(cert: str) -> ssl.SSLContext:
    """What a client needs for TLS: it trusts who has this certificate, or one signed with it.

    Raises:
        ValueError: the file can't be read, or is no certificate.
    """
    _read(cert)
    try:
        return ssl.create_default_context(cafile=cert)
    except ssl.SSLError:
        raise ValueError(f"{cert}: no certificate, as PEM") from None


def read_line(file: str, what: str) -> str:
    """What stands in a file, such as "a token", without the end of its line.

    Raises:
        ValueError: the file can't be read, or is no text. What it holds is not repeated.
    """
    try:
        return _read(file).decode().strip()
    except UnicodeError:
        raise ValueError(f"{file}: {what} is a text in UTF-8") from None


def _no_password() -> str:
    raise ValueError("the private key has a password, and nobody is here to type it")


def _read(file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise ValueError(f"{file}: {error.strerror}") from None
