"""What a VPC has beside its machines: a resolver, the instance metadata service, AWS's endpoints.

front.py FOLDER: FOLDER has tls.pem and tls.key, `instances.json` (address -> what the metadata
service says of the instance, read anew for each request), `names.json` (name -> address) and
`files/HOST/PATH` for what is downloaded from hosts that are no API. Every other request goes to
the emulator at 127.0.0.1:5000 with its Host header.
"""
import http.client
import json
import secrets
import socket
import ssl
import struct
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

RESOLVER, METADATA, EMULATOR = "10.20.0.2", "169.254.169.254", ("127.0.0.1", 5000)
FOLDER = Path(sys.argv[1])


def read_json(name):
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


# --- the resolver -------------------------------------------------------------------------------

def address_of(name):
    names = read_json("names.json")
    if name in names:
        return names[name]
    return RESOLVER if name.endswith((".amazonaws.com", ".download.nvidia.com")) else None


def answer(query):
    """One question, an A record or none."""
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode("ascii", "replace"))
        at += query[at] + 1
    kind, = struct.unpack("!H", query[at + 1:at + 3])
    addr = address_of(".".join(labels).lower())
    code = 0 if addr else 3
    records = b""
    if addr and kind == 1:
        records = struct.pack("!HHHIH", 0xC00C, 1, 1, 5, 4) + socket.inet_aton(addr)
    return (query[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, 1 if records else 0, 0, 0)
            + query[12:at + 5] + records)


def resolve():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((RESOLVER, 53))
        while True:
            query, peer = s.recvfrom(512)
            try:
                s.sendto(answer(query), peer)
            except (IndexError, struct.error, OSError, ValueError) as error:
                print(f"resolver: {peer}: {error!r}", file=sys.stderr, flush=True)


# --- the metadata service (version 2 only) ------------------------------------------------------

TOKENS = set()


def metadata_tree(instance):
    role = instance["role"]
    credentials = {"Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": "ASIAEXAMPLE0000000AB",
                   "SecretAccessKey": "example", "Token": "token-of-" + role,
                   "LastUpdated": "2026-01-01T00:00:00Z",
                   "Expiration": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 21600))}
    mac = instance["mac"]
    return {
        "meta-data": {
            "instance-id": instance["id"], "instance-type": instance["type"], "ami-id": "ami-0123456789abcdef0",
            "local-ipv4": instance["addr"], "local-hostname": instance["hostname"],
            "hostname": instance["hostname"], "mac": mac,
            "placement": {"availability-zone": instance["zone"], "region": instance["zone"][:-1]},
            "iam": {"security-credentials": {role: json.dumps(credentials)}},
            "tags": {"instance": instance["tags"]},
            "network": {"interfaces": {"macs": {mac: {
                "device-number": "0", "local-ipv4s": instance["addr"], "mac": mac,
                "subnet-ipv4-cidr-block": "10.20.0.0/16", "interface-id": "eni-1"}}}},
        },
        "dynamic": {"instance-identity": {"document": json.dumps(
            {"instanceId": instance["id"], "region": instance["zone"][:-1], "accountId": "123456789012",
             "availabilityZone": instance["zone"], "privateIp": instance["addr"]})}},
        "user-data": instance.get("user_data", ""),
    }


class Metadata(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def reply(self, status, body=b""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-aws-ec2-metadata-token-ttl-seconds", "300")
        self.end_headers()
        self.wfile.write(body)

    def do_PUT(self):
        if not self.path.endswith("/api/token") or "X-aws-ec2-metadata-token-ttl-seconds" not in self.headers:
            return self.reply(400)
        token = secrets.token_urlsafe(16)
        TOKENS.add(token)
        return self.reply(200, token.encode())

    def do_GET(self):
        # cloud-init asks for a token only where DMI says that the machine is EC2's: not in a container.
        if (self.headers.get("X-aws-ec2-metadata-token") not in TOKENS
                and not self.headers.get("User-Agent", "").startswith(("Cloud-Init", "python-requests"))):
            return self.reply(401)
        instance = read_json("instances.json").get(self.client_address[0])
        if instance is None:
            return self.reply(404)
        if self.path.strip("/") == "":
            return self.reply(200, b"latest")
        found = metadata_tree(instance)
        parts = [p for p in self.path.split("?")[0].split("/") if p][1:]
        if not parts:
            return self.reply(200, b"dynamic\nmeta-data\nuser-data")
        for part in parts:
            if not isinstance(found, dict) or part not in found:
                return self.reply(404)
            found = found[part]
        if isinstance(found, dict):
            found = "\n".join(k + ("/" if isinstance(v, dict) else "") for k, v in sorted(found.items()))
        return self.reply(200, found.encode()) if found else self.reply(404)

    def log_message(self, *_words):
        pass


# --- the endpoints ------------------------------------------------------------------------------

class Endpoint(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_request(self):
        host = self.headers.get("Host", "").split(":")[0]
        shelf = FOLDER / "files" / host
        if shelf.is_dir():
            return self.serve_file(shelf)
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else None
        upstream = http.client.HTTPConnection(*EMULATOR, timeout=60)
        upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in ("connection", "transfer-encoding"):
                upstream.putheader(name, value)
        upstream.endheaders(body)
        got = upstream.getresponse()
        data = got.read()
        with open(FOLDER / "calls.log", "a", encoding="ascii", errors="replace") as log:
            log.write(json.dumps(self.call(host, body, got.status)) + "\n")
        self.send_response(got.status)
        for name, value in got.getheaders():
            if name.lower() not in ("connection", "transfer-encoding", "content-length", "server", "date"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        upstream.close()
        return None

    def call(self, host, body, status):
        """Who asked for what: the role of the caller stands in its session token."""
        target = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
        if not target and body and b"Action=" in body:
            target = body.split(b"Action=", 1)[1].split(b"&")[0].decode("ascii", "replace")
        return {"role": self.headers.get("X-Amz-Security-Token", "").removeprefix("token-of-"),
                "host": host, "operation": target or self.command, "status": status}

    def serve_file(self, shelf):
        path = (shelf / self.path.split("?")[0].lstrip("/")).resolve()
        data = path.read_bytes() if path.is_relative_to(shelf.resolve()) and path.is_file() else None
        self.send_response(200 if data is not None else 404)
        self.send_header("Content-Length", str(len(data or b"")))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data or b"")

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = handle_request

    def log_message(self, *_words):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(FOLDER / "tls.pem", FOLDER / "tls.key")
    endpoint = Server((RESOLVER, 443), Endpoint)
    # The handshake belongs to the connection's own thread, not to accept().
    endpoint.socket = context.wrap_socket(endpoint.socket, server_side=True, do_handshake_on_connect=False)
    for serve in (resolve, Server((METADATA, 80), Metadata).serve_forever, endpoint.serve_forever):
        threading.Thread(target=serve, daemon=True).start()
    (FOLDER / "front.ready").touch()
    threading.Event().wait()


main()
