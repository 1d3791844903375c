"""As little of a server as will do: small.py [PORT]"""

import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlparse


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'{"version": "0.small", "kernels": 0}'
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


port = int(sys.argv[1]) if len(sys.argv) > 1 else urlparse(os.environ["JUPYTERHUB_SERVICE_URL"]).port
ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
