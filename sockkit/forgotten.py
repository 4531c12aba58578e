"""What a server or a client says when nobody holds it any more, and nobody ended it.

Python's word for that is a ResourceWarning, which is hidden unless somebody asks for it. Where it
is hidden, the log says the same: in a notebook, under the cell that let go.
"""

import logging
import warnings

log = logging.getLogger("sockkit")


def tell_forgotten(owner: object, text: str) -> None:
    """Warn that `owner` was forgotten. The last call of a `__del__`: the warning may be an error.

    Args:
        owner: the server or client.
        text: what has become of it, written before that happened.
    """
    if _is_hidden():
        log.warning(text)
    warnings.warn(text, ResourceWarning, 3, source=owner)


def _is_hidden() -> bool:
    # The first filter that fits decides. Those for one text or one module are beside the point.
    for action, message, category, module, _ in warnings.filters:
        if message is None and module is None and issubclass(ResourceWarning, category):
            return action == "ignore"
    return False
