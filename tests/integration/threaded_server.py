"""Servers that do with each connection, or with each request, what a test has in mind."""
import http.server
import socket
import threading


def accept_all(listener, serve):
    """Until the listener is closed: each connection is served on a thread of its own."""
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=serve, args=(connection,), daemon=True).start()


class ThreadedServer:
    """Accepts connections and passes each to `behave(connection)` on a thread of its own."""

    def __init__(self, behave):
        self.behave = behave
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=200)
        self.open = []
        threading.Thread(target=accept_all, args=(self.listener, self.serve), daemon=True).start()

    @property
    def port(self):
        return self.listener.getsockname()[1]

    def serve(self, connection):
        self.open.append(connection)
        try:
            self.behave(connection)
        except OSError:
            pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.open:
            connection.close()


class OkServer(ThreadedServer):
    """Answers each request with `ok` once `wait()` returns, with as little work as a server in Python can have."""

    def __init__(self, wait):
        self.wait = wait
        super().__init__(self.talk)

    def talk(self, connection):
        with connection:
            data = b""
            while True:
                while b"\r\n\r\n" not in data:
                    piece = connection.recv(4096)
                    if not piece:
                        return
                    data += piece
                data = data.partition(b"\r\n\r\n")[2]
                self.wait()
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


class HttpServer:
    """Answers a GET with the body that `answer(path)` gives, in HTTP/1.1, each connection on a thread of its own."""

    def __init__(self, answer):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                body = answer(self.path)
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 100  # a connection that finds it full is retried a second later

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
