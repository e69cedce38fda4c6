#!/usr/bin/env python3
"""An auditor's questions: each in one command; every filter; what is hostile."""
import base64
import csv
import hashlib
import io
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib.house import House, Tap, expect, run  # noqa: E402

tap = Tap()
house = House()
house.start()
house.client_add("portal", "submit", "approve", "gateway")
house.client_add("auditor", "audit")
house.client_add("ci", "submit", "approve")
AT_FIRST = time.strftime("%Y-%m-%dT%H:%M:%SZ",
                         time.gmtime(time.time() + 1))

WEB = """apiVersion: countersign.dev/v1
kind: IssuancePolicy
metadata: {name: web, owner: pki@corp.example}
spec:
  priority: 10
  subject: {organization: {set: Example Corp}}
  san: {dns: {min: 1, allow: [{dns: .corp.example}], wildcard: leftmost}}
  validity: {default: 24h, max: 90d}
"""


def apply(text):
    with open(os.path.join(house.dir, "policies", "web.yaml"), "w",
              encoding="utf-8") as f:
        f.write(text)
    house.cli("policy", "apply")


def key():
    return run("openssl", "ecparam", "-name", "prime256v1", "-genkey",
               "-noout").stdout


def csr_of(pem, *names, subject="/O=Example Corp"):
    path = os.path.join(house.root, "key.pem")
    with open(path, "w", encoding="utf-8") as f:
        f.write(pem)
    return run("openssl", "req", "-new", "-key", path, "-subj", subject,
               "-addext", "subjectAltName=" +
               ",".join("DNS:" + n for n in names)).stdout


def spki_of(pem):
    der = subprocess.run(["openssl", "pkey", "-pubout", "-outform", "DER"],
                         input=pem.encode(), capture_output=True, check=True)
    return hashlib.sha256(der.stdout).hexdigest()


def ask(who, csr, status, duration="24h", **fields):
    got = house.submit("portal", csr, duration=duration,
                       requester={"username": who}, **fields)
    expect(got.status == status, f"{got.status} {got.body}")
    return got.json


USAGES = {"usages": ["digital signature", "server auth"]}
KEY = key()
apply(WEB)
WWW = ask("alice", csr_of(KEY, "www.corp.example"), 201, namespace="shop",
          **USAGES)
WILD = ask("carol", csr_of(key(), "*.corp.example"), 201, "720h",
           namespace="edge", **USAGES)
REFUSED = ask("bob", csr_of(KEY, "www.corp.example", "pay.other.test",
                            subject="/"), 422, namespace="shop")
CHANGED = ask("dora", csr_of(key(), "api.corp.example", subject="/"), 201,
              namespace="shop", **USAGES)
apply(WEB.replace("max: 90d", "max: 60d"))
LATER = ask("alice", csr_of(key(), "later.corp.example"), 201, "1h",
            namespace="=1+1", **USAGES)
FORMULA = ask("=HYPERLINK(\"http://x\")", csr_of(key(), "f.corp.example"), 201,
              **USAGES)


def lines(*args):
    """A command's output, line by line without the header."""
    return house.cli(*args).stdout.splitlines()[1:]


def serials(rows):
    return {s["serial"] for s in (WWW, WILD, CHANGED, LATER, FORMULA)
            if any(s["serial"] in r for r in rows)}


def audit(query, status=200, headers=None):
    got, head, body = house.http("GET", "/v1/audit?" + query,
                                 token=house.tokens["auditor"],
                                 headers=headers)
    expect(got == status, f"{query}: {got} {body[:400]}")
    return head, body


def indexes(query):
    return [i["index"] for i in json.loads(audit(query)[1])["items"]]


def index(answer):
    return answer["log"]["index"]


# Each of these is asked of the running house, and of its files when stopped.
ASKED = {}


def question(*args):
    out = house.cli(*args).stdout
    ASKED[args] = out
    return out.splitlines()[1:]


@tap.test
def who_holds_a_name_or_could_impersonate_it():
    rows = question("cert", "list", "www.corp.example", "--covering")
    expect(serials(rows) == {WWW["serial"], WILD["serial"]}, rows)
    rows = lines("cert", "list", "--holding", "www.corp.example")
    expect(serials(rows) == {WWW["serial"]}, rows)
    rows = lines("cert", "list", "--holding", ".corp.example")
    expect(len(rows) == 5, rows)


@tap.test
def everything_this_key_ever_asked_for():
    rows = question("audit", "list", "--spki", spki_of(KEY))
    expect(len(rows) == 2 and "refused" in rows[0] and "issued" in rows[1],
           rows)


@tap.test
def what_expires_in_14_days():
    rows = question("cert", "list", "--expires-in", "14d", "--limit", "9")
    expect(serials(rows) == {s["serial"] for s in
                             (WWW, CHANGED, LATER, FORMULA)}, rows)
    expect(LATER["serial"] in rows[0], "what ends first comes first")
    expect(not any(WILD["serial"] in r for r in rows), rows)
    rows = lines("cert", "list", "--expires-in", "40d", "--issuer", "default")
    expect(WILD["serial"] in "".join(rows), rows)


@tap.test
def what_was_overridden_last_week_and_how():
    out = house.cli("audit", "list", "--changed", "--since", "7d",
                    "--disposition", "overridden", "--detail").stdout
    expect(f"{index(CHANGED)}  " in out and
           "overridden subject.organization[0]: (nothing) -> Example Corp"
           "  web/subject.organization.set at web.yaml:" in out, out)


@tap.test
def what_one_requester_was_refused_and_why():
    out = house.cli("audit", "list", "--requester", "bob", "--verdict",
                    "refused", "--detail").stdout
    expect("SAN_DNS_NOT_ALLOWED san.dns[1] = pay.other.test" in out and
           "web/san.dns.allow at web.yaml:" in out, out)
    rows = question("audit", "list", "--requester", "bob")
    expect(len(rows) == 1 and "SAN_DNS_NOT_ALLOWED" in rows[0], rows)


@tap.test
def what_a_given_policy_version_issued():
    first, second = WWW["policy"]["sha256"], LATER["policy"]["sha256"]
    expect(first != second, "two versions")
    rows = question("audit", "list", "--verdict", "issued", "--policy", first)
    expect(serials(rows) == {a["serial"] for a in (WWW, WILD, CHANGED)}, rows)
    rows = lines("cert", "list", "--policy", second)
    expect(serials(rows) == {LATER["serial"], FORMULA["serial"]}, rows)


@tap.test
def who_could_approve_for_this_issuer_on_a_given_day():
    time.sleep(max(0, 1.2 - (time.time() % 1)))
    house.cli("client", "remove", "ci")
    house.cli("client", "add", "late", "--right", "approve", "--issuer",
              "default")
    args = ("client", "list", "--right", "approve", "--issuer", "default")
    then = "\n".join(question(*args, "--at", AT_FIRST))
    expect("ci " in then and "portal " in then and "late" not in then, then)
    expect("auditor" not in then, then)
    now = "\n".join(lines(*args, "--at", "0s"))
    expect("ci " not in now and "late " in now, now)


@tap.test
def every_filter_finds_what_it_names():
    www, refused, changed = index(WWW), index(REFUSED), index(CHANGED)
    ids = {
        "kind=refused": [refused],
        "kind=policy.applied&limit=1": None,
        "verdict=refused": [refused],
        "changed=true&disposition=overridden": [changed],
        "code=SAN_DNS_NOT_ALLOWED": [refused],
        "issuer=default&requester=carol": [index(WILD)],
        "namespace=edge": [index(WILD)],
        "source=api&requester=bob": [refused],
        "client=portal&requester=alice": [index(LATER), www],
        "requester=alice&requester=bob&order=asc": [www, refused,
                                                    index(LATER)],
        "approver=portal&requester=dora": [changed],
        "name=www.corp.example": [refused, www],
        "name=.api.corp.example": [changed],
        "name=WWW.CORP.example&verdict=issued": [www],
        "covering=q.corp.example": [index(WILD)],
        "serial=" + WWW["serial"]: [www],
        "serial=" + WWW["serial"].upper(): [www],
        "spki=" + spki_of(KEY): [refused, www],
        "rule=web/san.dns.allow": [refused],
        "rule=web/subject.organization.set&field=subject.organization":
            None,
        "policy=web&requester=carol": [index(WILD)],
        "field=san.dns": [refused],
        "field=san.dns[1]": [refused],
        "field=san.dns[0]": [],
        "realm=nowhere": [],
        "warned=true": [],
        "self_approved=true&requester=alice": [],
        "until=2020-01-01T00:00:00Z&requester=bob": [],
        "since=2100-01-01T00:00:00Z": [],
    }
    for query, want in ids.items():
        got = indexes(query)
        if want is None:
            expect(got, query)
        else:
            expect(got == want, f"{query}: {got}, want {want}")


@tap.test
def cursors_survive_growth_and_no_other_question_takes_them():
    head, body = audit("limit=2&verdict=issued")
    page = json.loads(body)
    cursor = page["next"]
    expect(f"cursor={cursor}" in head["Link"] and 'rel="next"' in
           head["Link"], head)
    before = indexes("verdict=issued")
    ask("grown", csr_of(key(), "grown.corp.example"), 201, **USAGES)
    seen = [i["index"] for i in page["items"]]
    while cursor:
        page = json.loads(audit(
            f"limit=2&verdict=issued&cursor={cursor}")[1])
        seen += [i["index"] for i in page["items"]]
        cursor = page["next"]
    expect(seen == before, f"{seen}, want {before}")
    cursor = json.loads(audit("limit=2&verdict=issued")[1])["next"]
    # Forged, of another question, of a leaf that never was (X12).
    for bad in (cursor[:-1] + ("0" if cursor[-1] != "0" else "1"), "x", "",
                "ff" * 16, "7" + "f" * 15 + cursor[16:], cursor.upper() + "0",
                "0" * 33):
        audit(f"limit=2&verdict=issued&cursor={bad}", 400)
    audit(f"limit=2&verdict=refused&cursor={cursor}", 400)
    audit(f"limit=2&verdict=issued&order=asc&cursor={cursor}", 400)


@tap.test
def a_list_comes_as_lines_and_as_a_sheet_without_formulas():
    _, body = audit("verdict=issued&limit=3",
                    headers={"Accept": "application/x-ndjson"})
    rows = [json.loads(line) for line in body.decode().splitlines()]
    expect(len(rows) == 3 and all(r["verdict"] == "issued" for r in rows),
           body)
    head, body = audit("limit=1000", headers={"Accept": "text/csv"})
    expect(head["Content-Type"].startswith("text/csv"), head)
    rows = list(csv.reader(io.StringIO(body.decode(), newline="")))
    expect(rows[0][:3] == ["index", "time", "kind"], rows[0])
    cells = [c for r in rows[1:] for c in r]
    expect("'=HYPERLINK(\"http://x\")" in cells, "X05")
    expect(not any(c[:1] in "=+-@\t\r" for c in cells if c), cells)
    out = house.cli("audit", "export", "-o", "csv").stdout
    expect("\"'=HYPERLINK(\"\"http://x\"\")\"" in out, out)
    audit("", 406, headers={"Accept": "image/png"})
    rows = house.cli("audit", "export", "--verdict", "issued").stdout
    got = [json.loads(r)["index"] for r in rows.splitlines()]
    expect(got == indexes("verdict=issued&order=asc"), got)


@tap.test
def every_list_comes_as_lines_and_as_a_sheet():
    for words in (("client", "list"), ("client", "list", "--at", "0s"),
                  ("ca", "list"), ("policy", "list"), ("policy", "log"),
                  ("request", "list"), ("cert", "list"), ("audit", "list")):
        out = house.cli(*words, "-o", "ndjson").stdout
        rows = [json.loads(line) for line in out.splitlines()]
        expect(rows and all(isinstance(r, dict) for r in rows), (words, out))
        out = house.cli(*words, "-o", "csv").stdout
        sheet = list(csv.reader(io.StringIO(out, newline="")))
        expect(len(sheet) == len(rows) + 1, (words, out))
        expect(all(len(r) == len(sheet[0]) for r in sheet), (words, out))
        expect(not any(c[:1] in "=+-@\t\r" for r in sheet for c in r if c),
               (words, sheet))
    sheet = house.cli("policy", "log", "-o", "csv").stdout
    expect("policy.applied" in sheet, sheet)


@tap.test
def an_issuers_entries_begin_with_how_it_was_made():
    rows = json.loads(house.cli("audit", "list", "--issuer", "default",
                                "--order", "asc", "-o", "json").stdout)
    expect(rows[0]["kind"] == "ca.created", rows[0])


@tap.test
def statistics_count_what_was_decided():
    got = json.loads(house.cli("audit", "stats", "-o", "json").stdout)
    expect(got["kind"]["refused"] == 1, got)
    expect(got["code"] == {"SAN_DNS_NOT_ALLOWED": 1}, got)
    expect(got["requester"]["alice"] == 2, got)
    out = house.cli("audit", "stats").stdout
    expect("san" not in out.split()[0] and "refused" in out, out)


@tap.test
def what_cannot_be_asked_is_a_clear_400():
    # X09, X11, and parameters that there are not.
    for query in ("limit=1000000000", "limit=0", "limit=-1", "limit=1e3",
                  "limit=99999999999999999999", "sort=color", "order=name",
                  "order=asc;drop", "after=-1", "after=x", "wait=5",
                  "wait=61&after=1", "since=yesterday", "verdict=maybe",
                  "kind=nothing", "serial=zz", "spki=%27", "changed=yes",
                  "limit=1&limit=2", "name=", "name=%00", "name=%0d%0a",
                  "name=%ff", "name=%4"):
        _, body = audit(query, 400)
        problem = json.loads(body)
        expect(problem["code"] in ("BAD_PARAMETER", "BAD_HTTP"),
               f"{query}: {body}")


@tap.test
def metacharacters_are_text_in_every_filter():
    everything = len(house.items("/v1/audit", "auditor"))
    for name in ("requester", "client", "approver", "namespace", "realm",
                 "source", "issuer", "policy", "rule", "code", "field",
                 "disposition", "name", "covering", "serial", "spki", "kind",
                 "verdict"):
        for value in ("' OR '1'='1", "%", "_", "*", "a%' --", "\\", "\"",
                      "x'; DROP TABLE leaf; --", "(a+)+$", "?", ":1", "$1",
                      "a" * 400):
            query = f"{name}={urllib.parse.quote(value, safe='')}"
            status, _, body = house.http("GET", "/v1/audit?" + query,
                                         token=house.tokens["auditor"])
            if status == 200:  # X07, X10: nothing is called that
                expect(json.loads(body)["items"] == [], f"{query}: {body}")
            else:
                expect(status == 400, f"{query}: {status} {body}")
    expect(len(house.items("/v1/audit", "auditor")) == everything,
           "the log is as it was")


@tap.test
def ids_lead_nowhere_else():
    # X08: dots, slashes, NUL, far too long.
    token = house.tokens["auditor"]
    for base in ("/v1/requests/", "/v1/certificates/", "/v1/audit/",
                 "/v1/issuers/", "/tile/", "/tile/0/", "/tile/entries/"):
        for ident in ("../../etc/passwd", "..%2f..%2fetc%2fpasswd", "%00",
                      "/etc/passwd", "..", ".", "a" * 300, "00%00", "-1",
                      "0x10", "1e3", "01", "x000/000", "000.p/256"):
            status, _, body = house.http("GET", base + ident, token=token)
            expect(status in (400, 404), f"{base}{ident}: {status}")
            expect(b"root:" not in body, body)


def node(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(hashes):
    """RFC 6962 2.1."""
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return node(root_of(hashes[:k]), root_of(hashes[k:]))


@tap.test
def an_entry_is_proved_and_the_tiles_give_the_checkpoints_root():
    token = house.tokens["auditor"]
    note = house.http("GET", "/checkpoint")[2].decode()
    size, root = int(note.split("\n")[1]), base64.b64decode(
        note.split("\n")[2])
    status, _, tile = house.http("GET", f"/tile/0/000.p/{size}")
    expect(status == 200 and len(tile) == 32 * size, f"{status} {len(tile)}")
    hashes = [tile[i:i + 32] for i in range(0, len(tile), 32)]
    expect(root_of(hashes) == root, "the tile's hashes give another root")
    status, _, data = house.http("GET", f"/tile/entries/000.p/{size}",
                                 token=token)
    expect(status == 200, status)
    at, entries = 0, []
    while at < len(data):
        n = int.from_bytes(data[at:at + 2], "big")
        entries.append(data[at + 2:at + 2 + n])
        at += 2 + n
    expect([hashlib.sha256(b"\x00" + e).digest() for e in entries] == hashes,
           "entries do not hash to the tile")
    expect(house.http("GET", f"/tile/0/000.p/{size + 1}")[0] == 404, "more")
    expect(house.http("GET", f"/tile/entries/000.p/{size}")[0] == 401,
           "entries are for auditors")
    out = house.cli("audit", "prove", str(index(WWW))).stdout
    expect("signature is good" in out, out)
    proof = json.loads(house.http("GET", f"/v1/audit/{index(WWW)}/proof",
                                  token=token)[2])
    got, fn, sn = bytes.fromhex(proof["leaf_hash"]), index(WWW), size - 1
    for h in map(bytes.fromhex, proof["proof"]):
        if fn & 1 or fn == sn:
            got = node(h, got)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            got = node(got, h)
        fn, sn = fn >> 1, sn >> 1
    expect(got == root and proof["tree_size"] == size, proof)
    expect(house.cli("audit", "prove", "999999", check=False).returncode == 5,
           "there is no such entry")


@tap.test
def a_certificate_comes_in_three_forms():
    path = "/v1/certificates/" + WWW["serial"]
    token = house.tokens["auditor"]
    der = house.http("GET", path, token=token,
                     headers={"Accept": "application/pkix-cert"})[2]
    pem = house.http("GET", path, token=token, headers={
        "Accept": "application/pem-certificate-chain"})[2].decode()
    body = json.loads(house.http("GET", path, token=token)[2])
    first = pem.split("-----END")[0].split("-----\n")[1]
    expect(base64.b64decode(first) == der, "PEM and DER differ")
    expect(body["certificate"].startswith(pem[:200]), body)
    exported = house.cli("cert", "export", "--holding",
                         "www.corp.example").stdout
    expect(exported == pem.split("-----END CERTIFICATE-----\n")[0] +
           "-----END CERTIFICATE-----\n", exported)
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    query = f"/v1/certificates?valid_at={now}&holding=www.corp.example"
    got = json.loads(house.http("GET", query, token=token)[2])["items"]
    expect([c["serial"] for c in got] == [WWW["serial"]], got)
    for when in ("2020-01-01T00:00:00Z", "2100-01-01T00:00:00Z"):
        query = f"/v1/certificates?valid_at={when}"
        got = json.loads(house.http("GET", query, token=token)[2])["items"]
        expect(got == [], got)


def poll(after, wait, results, extra=""):
    t = time.monotonic()
    got = json.loads(audit(f"after={after}&wait={wait}{extra}")[1])
    results.append((time.monotonic() - t, [i["index"] for i in got["items"]]))


@tap.test
def a_poll_waits_for_what_comes_and_ends_with_nothing():
    last = indexes("limit=1")[0]
    results = []
    waiting = threading.Thread(target=poll, args=(last, 10, results))
    other = threading.Thread(target=poll, args=(
        last, 1, results, "&verdict=refused"))
    waiting.start()
    other.start()
    time.sleep(0.3)
    got = ask("eve", csr_of(key(), "eve.corp.example"), 201, **USAGES)
    waiting.join()
    other.join()
    results.sort()
    expect(results[0][1] == [index(got)] and results[0][0] < 5, results)
    expect(results[1][1] == [] and 0.9 < results[1][0] < 3, results)
    results.clear()
    poll(last, 10, results)
    expect(results[0][1] == [index(got)] and results[0][0] < 1, results)
    tail = subprocess.Popen(
        [os.environ.get("COUNTERSIGN_FAULTS", "./countersign-faults"),
         "audit", "tail", "--after", str(last), "--limit", "2", "-o",
         "ndjson", "--dir", house.dir], stdout=subprocess.PIPE)
    ask("fay", csr_of(key(), "fay.corp.example"), 201, **USAGES)
    out = tail.communicate(timeout=10)[0].decode().splitlines()
    expect(json.loads(out[0])["index"] == index(got) and len(out) == 2, out)


@tap.test
def polls_have_a_cap_of_their_own_and_end_with_their_client():
    context = ssl.create_default_context(
        cafile=os.path.join(house.dir, "root.pem"))
    last = indexes("limit=1")[0]
    waiting = []
    for _ in range(32):
        raw = socket.create_connection(("127.0.0.1", house.port))
        s = context.wrap_socket(raw, server_hostname="127.0.0.1")
        s.sendall((f"GET /v1/audit?after={last}&wait=30 HTTP/1.1\r\n"
                   "Host: x\r\nAuthorization: Bearer "
                   f"{house.tokens['auditor']}\r\n\r\n").encode())
        waiting.append(s)
    time.sleep(0.5)
    head, body = audit(f"after={last}&wait=5", 503)
    expect("Retry-After" in head and b"BUSY" in body, body)
    expect(indexes("limit=1") == [last], "questions have their own places")
    for s in waiting:
        s.close()
    end = time.monotonic() + 5
    while True:
        t = time.monotonic()
        status = house.http("GET", f"/v1/audit?after={last}&wait=1",
                            token=house.tokens["auditor"])[0]
        if status == 200 or time.monotonic() > end:
            break
        time.sleep(0.1)
    expect(status == 200 and time.monotonic() - t > 0.9, status)


@tap.test
def a_poll_does_not_hold_up_the_end_of_the_house():
    for args in ASKED:
        ASKED[args] = house.cli(*args).stdout
    last = indexes("limit=1")[0]
    results = []
    waiting = threading.Thread(target=poll, args=(last, 30, results))
    waiting.start()
    time.sleep(0.5)
    t = time.monotonic()
    status = house.stop()
    waiting.join()
    expect(status == 0 and time.monotonic() - t < 5, f"{status}")
    expect(results and results[0][1] == [], results)


@tap.test
def the_same_questions_are_answered_by_the_files_of_a_stopped_house():
    for args, out in ASKED.items():
        got = house.cli(*args).stdout
        expect(got == out, f"{args}:\n{got}\nwant\n{out}")
    expect(house.cli("audit", "verify").returncode == 0, "verify")
    expect(house.cli("audit", "tail", check=False).returncode == 3,
           "nothing will come")
    out = house.cli("audit", "prove", str(index(WWW))).stdout
    expect("signature is good" in out, out)


status = tap.run()
house.close()
sys.exit(status)
