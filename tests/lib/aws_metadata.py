"""The services that hand out AWS keys, as small as a test needs them.

One HTTP server is the instance metadata service (version 2 only), the container's
credentials service and STS at once.  It hands out the keys that `keys()` returns, and
writes down what came.

    with AwsMetadata(lambda: Keys("key", "secret", lifetime_s=3600)) as metadata:
        environment.update(metadata.instance_environment())
"""

import dataclasses
import datetime
import http.server
import json
import threading
import urllib.parse
from xml.sax.saxutils import escape


@dataclasses.dataclass
class Keys:
    access_key: str
    secret_key: str
    token: str = ""
    lifetime_s: float = 3600

    @property
    def expiration(self):
        end = datetime.datetime.now(datetime.timezone.utc) \
            + datetime.timedelta(seconds=self.lifetime_s)
        return end.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def _answer(self, status, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _json(self, keys):
        answer = {"AccessKeyId": keys.access_key, "SecretAccessKey": keys.secret_key,
                  "Token": keys.token, "Expiration": keys.expiration}
        if self.path.startswith("/latest"):
            answer["Code"] = "Success"
        self._answer(200, json.dumps(answer))

    def _form(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        return dict(urllib.parse.parse_qsl(body))

    def _begin(self):
        """Write the request down; False when it is answered by a failure already."""
        owner = self.server.owner
        owner.log.append((self.command, self.path))
        if owner.failing:
            self._form()
            self._answer(500, "failing, as the test wants it")
            return False
        return True

    def do_PUT(self):
        if not self._begin():
            return
        ttl = self.headers.get("X-aws-ec2-metadata-token-ttl-seconds")
        if self.path == "/latest/api/token" and ttl:
            self._answer(200, "imds-session")
        else:
            self._answer(400, "")

    def do_GET(self):
        owner = self.server.owner
        if not self._begin():
            return
        if self.path == owner.CONTAINER_PATH:
            if self.headers.get("Authorization") != owner.container_token:
                self._answer(401, "")
            else:
                self._json(owner.keys())
        elif self.headers.get("X-aws-ec2-metadata-token") != "imds-session":
            self._answer(401, "")
        elif self.path == owner.ROLES_PATH:
            self._answer(200 if owner.role else 404, owner.role)
        elif self.path == owner.ROLES_PATH + owner.role:
            self._json(owner.keys())
        else:
            self._answer(404, "")

    def do_POST(self):
        owner = self.server.owner
        if not self._begin():
            return
        form = self._form()
        if form.get("WebIdentityToken") != owner.identity_token or \
                form.get("RoleArn") != owner.role_arn or \
                form.get("Action") != "AssumeRoleWithWebIdentity":
            self._answer(400, "<ErrorResponse><Error><Code>InvalidIdentityToken</Code>"
                              "</Error></ErrorResponse>")
            return
        keys = owner.keys()
        self._answer(200, f"""<AssumeRoleWithWebIdentityResponse>
  <AssumeRoleWithWebIdentityResult><Credentials>
    <AccessKeyId>{escape(keys.access_key)}</AccessKeyId>
    <SecretAccessKey>{escape(keys.secret_key)}</SecretAccessKey>
    <SessionToken>{escape(keys.token)}</SessionToken>
    <Expiration>{keys.expiration}</Expiration>
  </Credentials></AssumeRoleWithWebIdentityResult>
</AssumeRoleWithWebIdentityResponse>""")


class AwsMetadata:
    """The server.  `failing` makes it answer 500; `log` holds (method, path) pairs."""

    ROLES_PATH = "/latest/meta-data/iam/security-credentials/"
    CONTAINER_PATH = "/v1/credentials"

    def __init__(self, keys):
        self.keys = keys
        self.failing = False
        self.log = []
        self.role = "weft-role"
        self.role_arn = "arn:aws:iam::123456789012:role/weft"
        self.identity_token = "web.identity.token"
        self.container_token = "container-token"
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.owner = self
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def fetches(self):
        """How often keys were asked for."""
        return sum(1 for method, path in self.log if method == "POST"
                   or path in (self.CONTAINER_PATH, self.ROLES_PATH + self.role))

    def instance_environment(self):
        return {"AWS_EC2_METADATA_SERVICE_ENDPOINT": self.endpoint}

    def container_environment(self, token_file=None):
        environment = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": self.endpoint + self.CONTAINER_PATH}
        if token_file is not None:
            token_file.write_text(self.container_token + "\n")
            environment["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = str(token_file)
        else:
            environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = self.container_token
        return environment

    def web_identity_environment(self, token_file):
        token_file.write_text(self.identity_token)
        return {"AWS_WEB_IDENTITY_TOKEN_FILE": str(token_file), "AWS_ROLE_ARN": self.role_arn,
                "AWS_ENDPOINT_URL_STS": self.endpoint}
