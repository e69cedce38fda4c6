#!/usr/bin/env python3
"""CRLs: what is revoked, as openssl sees it, and who may read it."""
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib.house import House, Tap, expect  # noqa: E402
from tests.lib.invariants import check_crls  # noqa: E402

URL = "http://crl.example/crl/default"
tap = Tap()
house = House(init_options=("--crl-url", URL))
house.start()
house.client_add("ci", "submit", "approve")
house.client_add("desk", "revoke")
house.client_add("auditor", "audit")
CSR = house.csr("www.crl.example")
seen = []  # every CRL that was read, as DER


def path(name):
    return os.path.join(os.path.dirname(house.dir), name)


def save(name, data):
    with open(path(name), "wb") as f:
        f.write(data)
    return path(name)


def openssl(*args, check=True):
    done = subprocess.run(["openssl", *args], capture_output=True, text=True,
                          timeout=20)
    expect(done.returncode == 0 or not check, done.stderr)
    return done


def issue(csr=CSR):
    got = house.submit("ci", csr)
    expect(got.status == 201, f"{got.status} {got.body}")
    return got.json


def fetch(target="/crl/default/0.crl", **headers):
    status, got, body = house.http("GET", target, headers=headers)
    if status == 200:
        seen.append(body)
    return status, got, body


def wait_for(serial, present=True):
    """The CRL that has this serial, within a few seconds."""
    for _ in range(80):
        body = fetch()[2]
        if (bytes.fromhex(serial) in body) == present:
            return body
        time.sleep(0.1)
    raise AssertionError(f"{serial} is not on the CRL")


def verify(certificate, crl):
    """openssl verify -crl_check of a leaf under what the house told."""
    pem = path("crl.pem")
    openssl("crl", "-inform", "DER", "-in", save("c.der", crl), "-out", pem)
    leaf = save("leaf.pem", certificate.encode())
    done = openssl("verify", "-crl_check", "-CRLfile", pem, "-CAfile",
                   os.path.join(house.dir, "root.pem"), "-untrusted", leaf,
                   leaf, check=False)
    return done.returncode, done.stdout + done.stderr


def text(crl):
    return openssl("crl", "-inform", "DER", "-noout", "-text", "-in",
                   save("t.der", crl)).stdout


@tap.test
def an_issuer_with_a_url_has_a_crl_from_the_start():
    for _ in range(50):
        status, headers, body = fetch()
        if status == 200:
            break
        time.sleep(0.1)
    expect(status == 200, status)
    expect(headers["Content-Type"] == "application/pkix-crl", headers)
    expect(headers["Cache-Control"].startswith("public, max-age="), headers)
    expect("Last-Modified" in headers, headers)
    shown = text(body)
    expect("No Revoked Certificates" in shown, shown)
    expect("Issuing Distribution Point: critical" in shown, shown)
    expect(f"URI:{URL}/0.crl" in shown, shown)
    expect("Authority Key Identifier" in shown, shown)
    leaf = save("own.pem", issue()["certificate"].encode())
    cert = openssl("x509", "-noout", "-text", "-in", leaf).stdout
    expect(f"URI:{URL}/0.crl" in cert, cert)


@tap.test
def it_is_given_to_who_has_it_not_only_as_304():
    _, headers, body = fetch()
    tag = headers["ETag"]
    status, again, none = fetch(**{"If-None-Match": f'"other", {tag}'})
    expect((status, none, again["ETag"]) == (304, b"", tag), (status, again))
    expect("Content-Length" not in again, again)
    expect(fetch(**{"If-None-Match": '"other"'})[2] == body, "another body")
    status, head, none = house.http("HEAD", "/crl/default/0.crl")
    expect((status, head["Content-Length"], none) ==
           (200, str(len(body)), b""), (status, head))


@tap.test
def what_is_revoked_is_refused_by_openssl_and_the_rest_is_not():
    # A key whose compromise was told is certified no more.
    bad, good = issue(house.csr("bad.crl.example")), issue()
    crl = fetch()[2]
    for one in (bad, good):
        status, said = verify(one["certificate"], crl)
        expect(status == 0, said)
    status, body = house.revoke("desk", bad["serial"], "keyCompromise")
    expect(status == 200, body)
    crl = wait_for(bad["serial"])
    status, said = verify(bad["certificate"], crl)
    expect(status != 0 and "certificate revoked" in said, said)
    status, said = verify(good["certificate"], crl)
    expect(status == 0, said)
    shown = text(crl)
    expect(bad["serial"].upper() in shown and "Key Compromise" in shown, shown)


@tap.test
def many_revocations_are_a_few_crls():
    before = len(house.items("/v1/audit?kind=crl.signed", "auditor"))
    serials = [issue()["serial"] for _ in range(20)]
    for serial in serials:
        expect(house.revoke("desk", serial)[0] == 200, serial)
    wait_for(serials[-1])
    last = fetch()[2]
    missing = [s for s in serials if bytes.fromhex(s) not in last]
    expect(missing == [], missing)
    after = len(house.items("/v1/audit?kind=crl.signed", "auditor"))
    expect(after - before <= 4, f"{before} CRLs, then {after}")


@tap.test
def paths_that_are_none_are_not_found():
    for target in ("/crl/default/1.crl", "/crl/default/00.crl",
                   "/crl/default/0", "/crl/default@1/0.crl",
                   "/crl/default@2/0.crl", "/crl/other/0.crl",
                   "/crl/default/99999.crl", "/crl/default/-1.crl"):
        expect(fetch(target)[0] == 404, target)
    expect(fetch("/crl/default/0.crl?x=1")[0] == 400, "a query")


@tap.test
def the_command_line_lists_shows_and_publishes():
    import json
    listed = json.loads(house.cli("crl", "show", "-o", "json").stdout)
    item = (listed["items"] if isinstance(listed, dict) else listed)[0]
    expect((item["issuer"], item["shard"], item["entries"]) ==
           ("default", 0, 21), item)
    said = house.cli("crl", "publish", "default").stdout
    expect(said.startswith("default shard 0: number ") and
           "entries 21, until 20" in said, said)
    number = int(said.split("number ")[1].split(",")[0])
    expect(number > item["number"], (number, item))
    shown = house.cli("crl", "show", "default", "-o", "text").stdout
    expect("X509v3 CRL Number: \n                %d" % number in shown, shown)
    pem = house.cli("crl", "show", "default", "-o", "pem").stdout
    der = openssl("crl", "-in", save("p.pem", pem.encode()), "-outform", "DER",
                  "-out", path("p.der"))
    with open(path("p.der"), "rb") as f:
        expect(f.read() == fetch()[2], der)
    row = house.cli("crl", "show", "-o", "csv").stdout.splitlines()
    expect(row[0].startswith("issuer,generation,shard,number") and
           len(row) == 2, row)
    done = house.cli("crl", "publish", "nobody", check=False)
    expect(done.returncode == 5, done)
    done = house.cli("crl", "show", "-o", "der", check=False)
    expect(done.returncode == 2, done)


@tap.test
def who_may_not_administer_publishes_none():
    status, _, _ = house.http("POST", "/v1/crls", None, house.tokens["desk"])
    expect(status == 403, status)
    status, _, _ = house.http("GET", "/v1/crls")
    expect(status == 401, status)
    for cursor in ("", "x", "9" * 19):
        status, _ = house.get(f"/v1/crls?cursor={cursor}", "auditor")
        expect(status == 400, f"cursor {cursor!r}: {status}")
    status, page = house.get("/v1/crls?issuer=other", "auditor")
    expect((status, page) == (200, {"items": [], "next": None}), page)


@tap.test
def metrics_say_how_old_they_are():
    time.sleep(1.1)
    _, _, body = house.http("GET", "/metrics", None, house.tokens["auditor"])
    values = dict(line.rsplit(" ", 1) for line in body.decode().splitlines()
                  if line.startswith("countersign_crl_"))
    label = '{issuer="default"}'
    this = float(values["countersign_crl_this_update_timestamp_seconds"
                        + label])
    end = float(values["countersign_crl_next_update_timestamp_seconds"
                       + label])
    expect(abs(time.time() - this) < 60 and end - this == 7 * 86400, values)
    expect(values["countersign_crl_entries" + label] == "21", values)
    expect(values["countersign_crl_failures_total" + label] == "0", values)


@tap.test
def a_kill_between_number_and_crl_burns_the_number_only():
    before = house.database().execute("SELECT number FROM crl").fetchone()[0]
    house.stop()
    house.start(env={"CS_FAILPOINTS": "ledger.before_crl_sign=kill"})
    house.cli("crl", "publish", "default", check=False)
    house.wait_end()
    burnt = house.database().execute(
        "SELECT number FROM crl_asked").fetchone()[0]
    expect(burnt > before, (burnt, before))
    house.start()
    said = house.cli("crl", "publish", "default").stdout
    expect(int(said.split("number ")[1].split(",")[0]) > burnt, said)
    fetch()


@tap.test
def an_issuer_without_a_url_signs_its_first_when_it_is_needed():
    with House() as plain:
        plain.start()
        plain.client_add("ci", "submit", "approve")
        plain.client_add("desk", "revoke")
        time.sleep(1.2)
        expect(plain.http("GET", "/crl/default/0.crl")[0] == 404, "a CRL")
        serial = plain.submit("ci", CSR).json["serial"]
        expect(plain.revoke("desk", serial)[0] == 200, serial)
        for _ in range(50):
            status, _, body = plain.http("GET", "/crl/default/0.crl")
            if status == 200:
                break
            time.sleep(0.1)
        expect(bytes.fromhex(serial) in body, status)
        shown = text(body)
        expect("Issuing Distribution Point" not in shown, shown)
        plain.stop()


@tap.test
def files_of_a_stopped_house_show_them_and_verify():
    last = fetch()[2]
    house.stop()
    pem = house.cli("crl", "show", "default", "-o", "pem").stdout
    openssl("crl", "-in", save("s.pem", pem.encode()), "-outform", "DER",
            "-out", path("s.der"))
    with open(path("s.der"), "rb") as f:
        expect(f.read() == last, "another CRL")
    expect("default" in house.cli("crl", "show").stdout, "no list")
    expect("verified" in house.cli("audit", "verify").stdout, "not verified")


@tap.test
def no_crl_lost_a_serial_and_numbers_rose():
    ends = {bytes(r[0]): r[1] for r in house.database().execute(
        "SELECT serial, not_after_s FROM revocation")}
    distinct = [c for i, c in enumerate(seen) if i == 0 or c != seen[i - 1]]
    expect(len(distinct) >= 4, len(distinct))
    expect(check_crls(distinct, ends) == [], check_crls(distinct, ends))


status = tap.run()
house.close()
sys.exit(status)
