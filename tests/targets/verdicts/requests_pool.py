"""A thread pool asks a local server, which takes its time to answer."""

import http.server
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from socketserver import ThreadingMixIn


class Slow(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        time.sleep(0.15)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *words):
        pass


class Server(ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True


server = Server(("127.0.0.1", 0), Slow)
threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
url = "http://127.0.0.1:%d/" % server.server_port
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
end = time.monotonic() + 1.5


def fetch(number):
    while time.monotonic() < end:
        opener.open(url, timeout=30).read()


with ThreadPoolExecutor(4) as pool:
    list(pool.map(fetch, range(4)))
server.shutdown()
