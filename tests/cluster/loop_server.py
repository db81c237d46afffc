"""A server on an event loop in a thread of its own."""
import asyncio
import threading


class LoopServer:
    """A subclass sets up its listeners, calls start(), and has begin(), which returns its servers once it runs in the thread."""

    def start(self):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    async def begin(self):
        raise NotImplementedError

    def run(self):
        asyncio.set_event_loop(self.loop)
        self.servers = self.loop.run_until_complete(self.begin())
        self.loop.run_forever()
        left = asyncio.all_tasks(self.loop)
        for task in left:
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        self.loop.close()

    def cut(self):
        """What ends beside the servers, in the thread."""

    def close(self):
        def stop():
            for server in self.servers:
                server.close()
            self.cut()
            self.loop.stop()
        self.loop.call_soon_threadsafe(stop)
        self.thread.join(10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
