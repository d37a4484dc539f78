"""Holds the cache that `fusiform models pull` leaves against the one that Python's huggingface_hub leaves.

    pip install huggingface_hub
    python tests/peers/models.py target/release/fusiform

A server on this machine answers as the public hub does. Both programs fetch the same files of it into caches of their
own: the folders must be the same but for lock files and Python's own notes, each must find the other's files with the
network forbidden, and a download that was interrupted in one must be finished by the other. Last, ours speaks TLS to the
same server: refused without its certificate, fetched with it (needs the openssl program).
"""

import hashlib
import http.server
import json
import os
import pathlib
import ssl
import subprocess
import sys
import tempfile
import threading

REPO = "stabilityai/sd-vae-ft-mse"
NAME = "sd-vae-ft-mse"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def weights(n):
    header = json.dumps({"w": {"dtype": "F32", "shape": [n], "data_offsets": [0, 4 * n]}}).encode()
    return len(header).to_bytes(8, "little") + header + hashlib.shake_128(b"w").digest(4 * n)


FILES = {
    "config.json": b'{"_class_name": "AutoencoderKL"}',
    "diffusion_pytorch_model.safetensors": weights(500_000),
}
STORE = {hashlib.sha256(content).hexdigest(): content for content in FILES.values()}
ASKED = []


class Hub(http.server.BaseHTTPRequestHandler):
    def do_HEAD(self):
        self.reply(False)

    def do_GET(self):
        self.reply(True)

    def log_message(self, *_):
        pass

    def reply(self, with_body):
        ASKED.append((self.command, self.path, self.headers.get("Range")))
        head = {"X-Repo-Commit": COMMIT}
        name = self.path.split("?")[0].rsplit("/", 1)[1]
        body, status = b"", 404
        if self.path.startswith("/store/"):
            body, status = STORE[name], 200
            head = {"ETag": f'"store-{name[:8]}"'}
            if wanted := self.headers.get("Range"):
                start = int(wanted.removeprefix("bytes=").split("-")[0])
                head["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
                body, status = body[start:], 206
        elif "/resolve/" in self.path and (content := FILES.get(name)):
            if len(content) > 1000:
                digest = hashlib.sha256(content).hexdigest()
                status = 302
                # Another host, as the real store is: a redirect that stays on the hub is one to a renamed repository.
                scheme = "https" if isinstance(self.connection, ssl.SSLSocket) else "http"
                store = f"{scheme}://localhost:{self.server.server_port}/store/{digest}"
                head |= {"X-Linked-Etag": f'"{digest}"', "X-Linked-Size": str(len(content)), "Location": store}
            else:
                git = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
                body, status = content, 200
                head["ETag"] = f'"{git}"'
        self.send_response(status)
        for key, value in head.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)


PYTHON = """
import sys
from huggingface_hub import hf_hub_download
for name in sys.argv[2:]:
    print(hf_hub_download(sys.argv[1], name))
"""


def environment(home, url, offline):
    extra = {"HF_HOME": str(home), "HF_ENDPOINT": url, "HF_HUB_OFFLINE": str(int(offline)), "HF_HUB_DISABLE_XET": "1"}
    return os.environ | extra


def python(home, url, offline=False):
    args = [sys.executable, "-c", PYTHON, REPO, *FILES]
    return subprocess.run(args, env=environment(home, url, offline), check=True, stdout=subprocess.PIPE, text=True).stdout


def ours(program, home, url, offline=False):
    args = [program, "--json", "models", "pull", NAME]
    run = subprocess.run(args, env=environment(home, url, offline), check=True, capture_output=True, text=True)
    return json.loads(run.stdout)


def tree(home):
    """Every file below `models--…`: its link or its content."""
    root = home / "hub" / f"models--{REPO.replace('/', '--')}"
    found = {}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if path.is_symlink():
            found[name] = os.readlink(path)
        elif path.is_file() and not name.startswith("."):
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def serve(certificate=None):
    """The address of a new server."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_port}"


def over_tls(program, folder):
    certificate = folder / "certificate.pem"
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    args = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    args += ["-addext", names, "-addext", "basicConstraints=critical,CA:FALSE", "-keyout", certificate, "-out", folder / "c"]
    subprocess.run(args, check=True, capture_output=True)
    certificate.write_text(certificate.read_text() + (folder / "c").read_text())
    url = serve(certificate)
    args = [program, "models", "pull", NAME]
    blind = subprocess.run(args, env=environment(folder / "tls", url, False), capture_output=True, text=True)
    print("without the certificate:", blind.stderr.strip().splitlines()[-1])
    known = environment(folder / "tls", url, False) | {"SSL_CERT_FILE": str(certificate)}
    subprocess.run(args, env=known, check=True, capture_output=True)
    return blind.returncode == 1 and "not safe" in blind.stderr and tree(folder / "tls")


def main(program):
    url = serve()
    temporary = tempfile.TemporaryDirectory()
    folder = pathlib.Path(temporary.name)
    python(folder / "python", url)
    ours(program, folder / "ours", url)
    theirs, mine = tree(folder / "python"), tree(folder / "ours")
    for name in sorted(theirs | mine):
        print("same" if theirs.get(name) == mine.get(name) else "DIFFERENT", name, mine.get(name), theirs.get(name))
    same = theirs == mine

    ASKED.clear()
    python(folder / "ours", url, offline=True)
    ours(program, folder / "python", url, offline=True)
    offline = not ASKED
    print("each finds the other's files offline:", offline)

    # Python's unfinished file, finished by us.
    digest = hashlib.sha256(FILES["diffusion_pytorch_model.safetensors"]).hexdigest()
    blobs = folder / "half" / "hub" / f"models--{REPO.replace('/', '--')}" / "blobs"
    blobs.mkdir(parents=True)
    (blobs / f"{digest}.incomplete").write_bytes(FILES["diffusion_pytorch_model.safetensors"][:777_777])
    ASKED.clear()
    ours(program, folder / "half", url)
    resumed = "bytes=777777-" in [wanted for _, _, wanted in ASKED] and tree(folder / "half") == theirs
    print("an unfinished file is gone on with:", resumed)
    tls = over_tls(program, folder) == theirs
    print("over TLS the same:", tls)
    return same and offline and resumed and tls


if __name__ == "__main__":
    sys.exit(0 if main(sys.argv[1]) else 1)
