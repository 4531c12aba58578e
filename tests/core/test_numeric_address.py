import asyncio
import threading

from sockkit import AsyncServer


def test_a_server_on_a_numeric_address_leaves_no_thread_with_the_loop():
    async def threads_after_a_server():
        before = set(threading.enumerate())
        async with AsyncServer(host="127.0.0.1"):
            pass
        return set(threading.enumerate()) - before

    assert asyncio.run(threads_after_a_server()) == set()
