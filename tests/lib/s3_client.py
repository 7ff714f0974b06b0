"""A few S3 requests for tests: to prepare and look at what Weft reads and writes.

Signs by itself (AWS Signature Version 4) with the standard library, so that what common/sigv4.c
does is not checked against itself.
"""

import datetime
import hashlib
import hmac
import http.client
import re
import urllib.parse


def quote(text, safe=""):
    return urllib.parse.quote(text, safe=safe + "-._~")


def signature(method, path, query, headers, payload_hash, secret_key, region, service, moment):
    """(signed header names, signature) of a request; MOMENT is like 20130524T000000Z."""
    scope = f"{moment[:8]}/{region}/{service}/aws4_request"
    names = ";".join(sorted(headers))
    canonical = "\n".join(
        [method, quote(path, "/"),
         "&".join(f"{k}={v}" for k, v in sorted((quote(k), quote(v)) for k, v in query))]
        + [f"{name}:{headers[name]}" for name in sorted(headers)] + ["", names, payload_hash])
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{digest}"
    key = f"AWS4{secret_key}".encode()
    for part in (moment[:8], region, service, "aws4_request", to_sign):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return names, key.hex()


class S3Client:
    """Requests to one endpoint, path style, a connection each."""

    def __init__(self, endpoint, access_key, secret_key, region="us-east-1"):
        self.host = urllib.parse.urlsplit(endpoint).netloc
        self.access_key = access_key
        self.secret_key = secret_key
        self.region = region

    def request(self, method, path, query=(), headers=None, body=b"", expect=(200, 204, 206)):
        """Send, return (status, headers, body); raise unless the status is in EXPECT."""
        moment = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        payload_hash = hashlib.sha256(body).hexdigest()
        signed = {"host": self.host, "x-amz-date": moment,
                  "x-amz-content-sha256": payload_hash, **(headers or {})}
        names, sign = signature(method, path, query, signed, payload_hash, self.secret_key,
                                self.region, "s3", moment)
        sent = {k: v for k, v in signed.items() if k != "host"}
        sent["Authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={self.access_key}/{moment[:8]}/{self.region}"
            f"/s3/aws4_request, SignedHeaders={names}, Signature={sign}")
        target = quote(path, "/")
        if query:
            target += "?" + "&".join(f"{quote(k)}={quote(v)}" for k, v in query)
        connection = http.client.HTTPConnection(self.host, timeout=30)
        try:
            connection.request(method, target, body=body, headers=sent)
            response = connection.getresponse()
            data = response.read()
        finally:
            connection.close()
        if response.status not in expect:
            raise RuntimeError(f"{method} {path}: {response.status} {data[:300]!r}")
        return response.status, dict(response.getheaders()), data

    def put(self, bucket, key, body):
        self.request("PUT", f"/{bucket}/{key}", body=body)

    def get(self, bucket, key):
        return self.request("GET", f"/{bucket}/{key}")[2]

    def head(self, bucket, key):
        """The headers, or None if there is no such object."""
        status, headers, _ = self.request("HEAD", f"/{bucket}/{key}", expect=(200, 404))
        return headers if status == 200 else None

    def keys(self, bucket, prefix=""):
        """All keys that begin with PREFIX, at most 1,000."""
        body = self.request("GET", f"/{bucket}", [("list-type", "2"), ("prefix", prefix)])[2]
        return re.findall(r"<Key>([^<]*)</Key>", body.decode())
