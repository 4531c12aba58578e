"""Every test of the core: asyncio's debug mode on, nothing left behind, no error unexpected."""

import pytest


@pytest.fixture(autouse=True)
def strict(asyncio_debug: None, no_errors_logged: None, nothing_left: None) -> None:
    """The order matters: what is left is looked for before the log is judged."""
