"""An API server of Kubernetes that says what a file tells it to: PORT, CERTIFICATE, KEY, FILE.

The file is JSON, read anew for each request: `token`, and under `answers` by path, with or without its query, a
status and a body. As the real one does, it refuses other tokens (401), lets nobody without one see more than how it
is (403), and says of all else that it is not found (404).
"""

import json
import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT, CERTIFICATE, KEY, FILE = sys.argv[1:]
PUBLIC = ("/readyz", "/livez", "/version")


def failure(code, reason, message):
    status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
    return code, dict(status, message=message, reason=reason, code=code)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        with open(FILE, encoding="utf-8") as file:
            told = json.load(file)
        code, body = self.answer(told)
        text = body if isinstance(body, str) else json.dumps(body)
        self.send_response(code)
        self.send_header("Content-Type", "text/plain" if isinstance(body, str) else "application/json")
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def answer(self, told):
        path = self.path.partition("?")[0]
        given = self.headers.get("Authorization")
        if given is not None and given != "Bearer " + told["token"]:
            return failure(401, "Unauthorized", "Unauthorized")
        if given is None and path not in PUBLIC:
            who = 'User "system:anonymous" cannot get resource "pods" in API group "" in the namespace "hub"'
            return failure(403, "Forbidden", "pods is forbidden: " + who)
        found = told["answers"].get(self.path) or told["answers"].get(path)
        if found is None:
            return failure(404, "NotFound", 'pods "%s" not found' % path.rpartition("/")[2])
        return found["status"], found["body"]

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", int(PORT)), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(CERTIFICATE, KEY)
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
server.serve_forever()
