"""The commands of `python -m sockkit`, one module each. Only `sockkit.__main__` imports them.

They use the kit as any program would, through its public names, and so are examples of it: `serve`
of `AsyncServer` and its observer, `connect` of `Client` and a thread.
"""
