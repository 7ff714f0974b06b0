"""A control plane that is none: it answers `weft` as proto/openapi.json says.

    with FakeApi(directory) as api:
        weft(..., server=api.url, ca_file=api.ca_file)
        assert api.calls[-1].path == "/api/v1/clusters"

Every call is held to the description: path, query and body must be what an operation
takes, else the test that asks `api.problems` fails. The answer is made from the
operation's schema, unless a test has put another one in front: `api.script(answer, ...)`
for the next calls, `api.route(method, path, answer)` for good. An answer is (status, body)
or (status, body, headers), a function of the call that returns one, or None, which closes
the connection without a word.
"""

import http.server
import json
import pathlib
import re
import ssl
import subprocess
import threading
import urllib.parse
from dataclasses import dataclass, field

ROOT = pathlib.Path(__file__).resolve().parents[2]
A_UUID = "5b1c9e02-77aa-4c51-9d0a-0123456789ab"
NOW_MS = 1795420800000


@dataclass
class Call:
    """One request as it came."""

    method: str
    path: str
    query: dict
    headers: dict
    body: object
    operation: str = None
    names: dict = field(default_factory=dict)


class Contract:
    """proto/openapi.json: finding operations, checking values, making examples."""

    def __init__(self):
        self.root = json.loads((ROOT / "proto" / "openapi.json").read_text())
        self.operations = []
        for path, item in self.root["paths"].items():
            shape = re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path)) + "$")
            for method, operation in item.items():
                if method in ("get", "post", "put", "patch", "delete"):
                    parameters = item.get("parameters", []) + operation.get("parameters", [])
                    self.operations.append((method.upper(), shape, path, operation,
                                            [self.deref(p) for p in parameters]))

    def deref(self, value):
        """VALUE, or what its $ref leads to."""
        while isinstance(value, dict) and "$ref" in value:
            target = self.root
            for part in value["$ref"].split("/")[1:]:
                target = target[part]
            value = target
        return value

    def find(self, method, path):
        """(operation, its parameters, the names in the path), the most literal first."""
        found = [(o, p, m.groupdict()) for verb, shape, _, o, p in self.operations
                 if verb == method and (m := shape.match(path))]
        return min(found, key=lambda f: len(f[2])) if found else (None, None, None)

    def problems(self, schema, value, where):
        """What of VALUE is not as SCHEMA says."""
        schema = self.deref(schema)
        kinds = schema.get("type", [])
        kinds = [kinds] if isinstance(kinds, str) else kinds
        matches = {"string": isinstance(value, str), "null": value is None,
                   "boolean": isinstance(value, bool), "object": isinstance(value, dict),
                   "array": isinstance(value, list),
                   "integer": isinstance(value, int) and not isinstance(value, bool)}
        if kinds and not any(matches.get(kind, True) for kind in kinds):
            return [f"{where}: {value!r} is not {kinds}"]
        found = []
        if "enum" in schema and value not in schema["enum"]:
            found.append(f"{where}: {value!r} is not of {schema['enum']}")
        if isinstance(value, str):
            if "pattern" in schema and not re.search(schema["pattern"], value):
                found.append(f"{where}: {value!r} does not match {schema['pattern']}")
            if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", 1 << 30):
                found.append(f"{where}: length {len(value)}")
            if schema.get("format") == "uuid" and not re.fullmatch(r"[0-9a-f-]{36}", value):
                found.append(f"{where}: {value!r} is no uuid")
        if matches["integer"] and not (schema.get("minimum", value) <= value
                                       <= schema.get("maximum", value)):
            found.append(f"{where}: {value} is out of range")
        if isinstance(value, dict):
            properties = schema.get("properties", {})
            found += [f"{where}: no {name}" for name in schema.get("required", [])
                      if name not in value]
            if len(value) < schema.get("minProperties", 0):
                found.append(f"{where}: too few members")
            for name, member in value.items():
                more = schema.get("additionalProperties", True)
                if name in properties:
                    found += self.problems(properties[name], member, f"{where}.{name}")
                elif more is False:
                    found.append(f"{where}: {name} is not known")
                elif isinstance(more, dict):
                    found += self.problems(more, member, f"{where}.{name}")
        return found

    def example(self, schema, name=""):
        """A value that SCHEMA allows."""
        schema = self.deref(schema)
        for key in ("oneOf", "anyOf"):
            if key in schema:
                return self.example(schema[key][0], name)
        kinds = schema.get("type", "object")
        kind = kinds if isinstance(kinds, str) else kinds[0]
        if "enum" in schema:
            return schema["enum"][0]
        if kind == "object":
            return {n: self.example(p, n) for n, p in schema.get("properties", {}).items()}
        if kind == "array":
            return [self.example(schema["items"], name)]
        if kind == "boolean":
            return False
        if kind == "integer":
            return NOW_MS if name.endswith("_ms") else max(schema.get("minimum", 0), 7)
        if schema.get("format") == "uuid":
            return A_UUID
        if name == "next":
            return None
        if "0-9a-f]{64}" in schema.get("pattern", ""):
            return "5f" * 32
        return {"token": "weft_example"}.get(name, "example")


def make_certificates(directory):
    """A CA and a server certificate of 127.0.0.1: ca.crt, server.pem, ca.fingerprint."""
    directory.mkdir(parents=True, exist_ok=True)

    def openssl(*words):
        return subprocess.run(["openssl", *words], cwd=directory, check=True,
                              capture_output=True, text=True).stdout

    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl("req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.crt", "-days", "2",
            "-subj", "/CN=fake-ca")
    openssl("req", *curve, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=fake")
    (directory / "san").write_text("subjectAltName=IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key",
            "-CAcreateserial", "-days", "2", "-extfile", "san", "-out", "server.crt")
    (directory / "server.pem").write_text((directory / "server.key").read_text() +
                                          (directory / "server.crt").read_text())
    text = openssl("x509", "-in", "ca.crt", "-noout", "-fingerprint", "-sha256")
    (directory / "ca.fingerprint").write_text(text.split("=")[1].strip().replace(":", "").lower())


class FakeApi:
    """See above. Several of one DIRECTORY have one CA, as the nodes of a cell."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        if not (self.directory / "server.pem").exists():
            make_certificates(self.directory)
        self.contract = Contract()
        self.calls, self.problems = [], []
        self.scripted = []
        self.routes = {("GET", "/api/v1/ca"): (200, self.ca_file.read_text())}
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            """One connection."""

            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                """Say nothing."""

            def answer_any(self):
                """Any method."""
                outer.answer(self)

            do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = answer_any

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.directory / "server.pem")
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True,
                                                 do_handshake_on_connect=False)
        self.url = f"https://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)

    @property
    def ca_file(self):
        """The CA's certificate."""
        return self.directory / "ca.crt"

    @property
    def fingerprint(self):
        """Of the CA."""
        return (self.directory / "ca.fingerprint").read_text()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def script(self, *answers):
        """The answers of the next calls."""
        self.scripted += answers

    def route(self, method, path, answer):
        """The answer to every METHOD PATH (a template of the description)."""
        self.routes[method, path] = answer

    def check(self, call):
        """Note what of CALL the description does not know."""
        operation, parameters, names = self.contract.find(call.method, call.path)
        if operation is None:
            self.problems.append(f"no operation {call.method} {call.path}")
            return None
        call.operation, call.names = operation["operationId"], names
        where = f"{call.method} {call.path}"
        known = {p["name"]: p["schema"] for p in parameters if p["in"] == "query"}
        for name, value in call.query.items():
            schema = self.contract.deref(known.get(name, {}))
            if name not in known:
                self.problems.append(f"{where}: no parameter {name}")
            else:
                typed = int(value) if schema.get("type") == "integer" else value
                self.problems += self.contract.problems(schema, typed, f"{where}?{name}")
        for parameter in parameters:
            if parameter["in"] == "path":
                value = urllib.parse.unquote(names[parameter["name"]])
                schema = self.contract.deref(parameter["schema"])
                typed = int(value) if schema.get("type") == "integer" else value
                self.problems += self.contract.problems(schema, typed, where)
        body = self.contract.deref(operation.get("requestBody"))
        if body is None and call.body is not None:
            self.problems.append(f"{where}: takes no body")
        if body is not None and call.body is None and body.get("required"):
            self.problems.append(f"{where}: a body is wanted")
        if body is not None and call.body is not None:
            schema = body["content"]["application/json"]["schema"]
            self.problems += self.contract.problems(schema, call.body, where)
        if call.method == "POST" and "idempotency-key" not in call.headers:
            self.problems.append(f"{where}: no Idempotency-Key")
        return operation

    def example(self, operation):
        """(status, body) of the first success."""
        status = min(code for code in operation["responses"] if code.startswith("2"))
        answer = self.contract.deref(operation["responses"][status])
        content = answer.get("content", {})
        if "application/json" not in content:
            return int(status), "text" if content else None
        return int(status), self.contract.example(content["application/json"]["schema"])

    def answer(self, handler):
        """One call."""
        url = urllib.parse.urlsplit(handler.path)
        length = int(handler.headers.get("Content-Length") or 0)
        raw = handler.rfile.read(length)
        call = Call(handler.command, url.path, dict(urllib.parse.parse_qsl(
            url.query, keep_blank_values=True)),
            {k.lower(): v for k, v in handler.headers.items()},
            json.loads(raw) if raw else None)
        operation = self.check(call)
        self.calls.append(call)
        answer = None
        if self.scripted:
            answer = self.scripted.pop(0)
        else:
            template = next((path for verb, shape, path, o, _ in self.contract.operations
                             if o is operation), None)
            answer = self.routes.get((call.method, template), "example")
        if callable(answer):
            answer = answer(call)
        if answer == "example":
            answer = self.example(operation) if operation else (404, None)
        if answer is None:
            handler.close_connection = True
            return
        self.send(handler, *answer)

    @staticmethod
    def send(handler, status, body, headers=None):
        """Write the answer; an object goes as JSON, bytes and text as they are."""
        problem = status >= 400 and isinstance(body, dict)
        kind = "application/problem+json" if problem else "application/json"
        if isinstance(body, str):
            kind, content = "text/plain", body.encode()
        elif isinstance(body, bytes):
            kind, content = "application/octet-stream", body
        else:
            content = b"" if body is None else json.dumps(body).encode()
        handler.send_response(status)
        for name, value in (headers or {}).items():
            handler.send_header(name, value)
        handler.send_header("Content-Type", kind)
        if status != 204:
            handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)
        handler.wfile.flush()


def problem(status, code, detail, **more):
    """An answer: a refusal as RFC 9457 says."""
    return (status, {"type": "about:blank", "title": f"title of {code}", "status": status,
                     "detail": detail, "code": code} | more)
