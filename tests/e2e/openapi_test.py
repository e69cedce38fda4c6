#!/usr/bin/env python3
"""What /openapi.json says of bodies, held against what the server takes."""
import http.client
import json
import os
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib.house import House, Tap, expect  # noqa: E402

tap = Tap()
house = House()
house.start()
house.client_add("all", "submit", "approve", "gateway", "audit", "admin")
SOCKET = os.path.join(house.dir, "run", "countersign.sock")
DOCUMENT = json.loads(house.http("GET", "/openapi.json")[2])


# What stands in a required field while another one is looked at.
PLAUSIBLE = {"rights": ["audit"], "request_sha256": "0" * 64}


class Local(http.client.HTTPConnection):
    """HTTP over the administrators' Unix socket."""

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(SOCKET)


def call(operation, method, path, body=None):
    """Status and problem or answer of one operation, as its access wants."""
    for name in ("id", "serial", "index", "name", "hash"):
        path = path.replace("{" + name + "}", "0" * 32)
    if operation["x-access"] == "local":
        c = Local("localhost")
        c.request(method, path, body,
                  {"Content-Type": "application/json"} if body else {})
        r = c.getresponse()
        data = r.read()
        c.close()
        return r.status, json.loads(data)
    status, _, data = house.http(method, path, body, house.tokens["all"])
    return status, json.loads(data) if data[:1] == b"{" else data


def resolve(schema):
    while "$ref" in schema:
        at = DOCUMENT
        for part in schema["$ref"][2:].split("/"):
            at = at[part]
        schema = at
    return schema


def operations():
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            yield path, method.upper(), operation


def bodies():
    """Every operation with a body, and the properties described."""
    for path, method, operation in operations():
        body = operation.get("requestBody")
        if body and "application/json" in body["content"]:
            schema = resolve(body["content"]["application/json"]["schema"])
            yield path, method, operation, schema


@tap.test
def every_body_has_the_fields_that_are_described_and_no_other():
    seen = 0
    for path, method, operation, schema in bodies():
        status, p = call(operation, method, path, b'{"no such field":1}')
        if p.get("code") == "NOT_FOUND":
            continue
        expect((status, p["code"]) == (400, "UNKNOWN_FIELD"), f"{path}: {p}")
        known = set(p["detail"].split("known are ")[1].split(", "))
        expect(known == set(schema["properties"]),
               f"{path}: takes {sorted(known)}, "
               f"described {sorted(schema['properties'])}")
        seen += 1
    expect(seen >= 3, f"only {seen} bodies were looked at")


@tap.test
def every_field_wants_the_type_that_is_described():
    wrong = {"string": b"17", "boolean": b'"yes"', "array": b'"x"',
             "object": b'"x"'}
    for path, method, operation, schema in bodies():
        for field, described in schema["properties"].items():
            kind = resolve(described).get("type")
            if kind not in wrong:
                continue
            body = dict.fromkeys(schema.get("required", ()))
            body = {name: PLAUSIBLE.get(name, "x") for name in body}
            body[field] = json.loads(wrong[kind])
            body = json.dumps(body).encode()
            status, p = call(operation, method, path, body)
            expect(status == 400 and field in p["detail"] or
                   p["code"] == "NOT_FOUND", f"{path} {field}: {p}")


@tap.test
def every_status_that_comes_of_nothing_is_described():
    for path, method, operation in operations():
        if operation["x-access"] == "local" and method == "POST":
            continue  # each does something
        status, _ = call(operation, method, path)
        expect(str(status) in operation["responses"],
               f"{method} {path}: {status} is not described")


@tap.test
def without_a_credential_only_what_is_for_anybody_answers():
    for path, method, operation in operations():
        for name in ("id", "serial", "index", "name", "hash"):
            path = path.replace("{" + name + "}", "0" * 32)
        status, _, _ = house.http(method, path)
        free = operation["x-access"] in ("anybody", "public")
        expect((status == 401) != free, f"{method} {path}: {status}")


status = tap.run()
house.close()
sys.exit(status)
