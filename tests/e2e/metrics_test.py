#!/usr/bin/env python3
"""/metrics: well formed, bounded, true, and only for who may read it."""
import math
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib.house import House, Tap, expect, run  # noqa: E402

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
ALERTS = os.path.join(TOP, "deploy", "prometheus")
NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"'

tap = Tap()
house = House()


def parse(text):
    """The exposition format 0.0.4, strictly: {name: {labels: value}}, types.

    Each family once, HELP and TYPE before its samples and together, no
    sample twice, histograms cumulated and complete.
    """
    types, samples, family = {}, {}, None
    expect(text.endswith("\n"), "the last line has no end")
    for line in text.split("\n")[:-1]:
        m = re.fullmatch(rf"# HELP ({NAME}) (.+)", line)
        if m:
            expect(m[1] not in types, f"{m[1]} stands twice")
            family, types[m[1]] = m[1], None
            continue
        m = re.fullmatch(rf"# TYPE ({NAME}) (counter|gauge|histogram)", line)
        if m:
            expect(m[1] == family and types[m[1]] is None,
                   f"TYPE without its HELP: {line}")
            types[m[1]] = m[2]
            continue
        m = re.fullmatch(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? (\S+)",
                         line)
        expect(m, f"no line of the format: {line!r}")
        name, labels = m[1], tuple(sorted(re.findall(LABEL, m[2] or "")))
        value = float(m[m.lastindex])
        base = name
        if types.get(family) == "histogram":
            base = re.sub(r"_(bucket|sum|count)$", "", name)
        expect(base == family and types[family], f"outside its family: {line}")
        expect(len({k for k, _ in labels}) == len(labels), f"labels: {line}")
        series = samples.setdefault(name, {})
        expect(labels not in series, f"stands twice: {line}")
        series[labels] = value
        expect(math.isfinite(value), line)
        if types[family] == "counter":
            expect(name.endswith("_total") and value >= 0, line)
    for name, kind in types.items():
        if kind == "histogram":
            check_histogram(name, samples)
    return samples, types


def check_histogram(name, samples):
    buckets = [(float(dict(labels)["le"].replace("+Inf", "inf")), n)
               for labels, n in samples[name + "_bucket"].items()]
    expect(buckets == sorted(buckets), f"{name}: bounds not ascending")
    counts = [n for _, n in buckets]
    expect(counts == sorted(counts), f"{name}: not cumulated")
    expect(buckets[-1] == (math.inf, samples[name + "_count"][()]),
           f"{name}: +Inf is not the count")
    expect(() in samples[name + "_sum"], f"{name}: no sum")


def scrape(**how):
    status, headers, body = house.http("GET", "/metrics", **how)
    expect(status == 200, f"{status} {body[:200]}")
    expect(headers["Content-Type"] ==
           "text/plain; version=0.0.4; charset=utf-8", str(headers))
    return parse(body.decode())


def settled(**how):
    """Numbers that the ledger sent after everything before was decided."""
    time.sleep(1.2)
    return scrape(**how)[0]


def value(samples, name, **labels):
    return samples[name][tuple(sorted(labels.items()))]


house.start()
house.client_add("ci", "submit", "approve")
house.client_add("auditor", "audit")
AUDIT = {"token": house.tokens["auditor"]}
CSR = house.csr("www.metrics.example")


@tap.test
def only_with_audit_or_over_the_socket_it_is_read():
    expect(house.http("GET", "/metrics")[0] == 401, "anybody")
    expect(house.http("GET", "/metrics", token=house.tokens["ci"])[0] == 403,
           "a submitter")
    scrape(**AUDIT)
    done = run("curl", "-sf", "--unix-socket",
               os.path.join(house.dir, "run", "countersign.sock"),
               "http://local/metrics")
    parse(done.stdout)


@tap.test
def decisions_are_counted_by_verdict_issuer_and_policy():
    before = settled(**AUDIT)
    for i in range(3):
        expect(house.submit("ci", CSR, f"m-{i}").status == 201, "issue")
    expect(house.submit("ci", CSR, "m-0").status == 201, "replay")
    expect(house.submit("ci", CSR, "m-bad", duration="9000h").status == 422,
           "refuse")
    expect(house.submit("ci", "nonsense", "m-csr").status == 422, "refuse")
    after = settled(**AUDIT)

    def rise(name, **labels):
        key = tuple(sorted(labels.items()))
        return after[name][key] - before.get(name, {}).get(key, 0)
    name = "countersign_decisions_total"
    expect(rise(name, verdict="issued", issuer="default",
                policy="default") == 3, "issued")
    expect(sum(v for k, v in after[name].items()
               if ("verdict", "refused") in k) == 2, "refused")
    expect(rise("countersign_refusals_total", code="CSR_MALFORMED") == 1,
           "codes")
    expect(rise("countersign_log_leaves_total", kind="issued") == 3, "leaves")
    expect(rise("countersign_http_responses_total", code="422") == 2, "422")
    for histogram in ("request", "ledger_batch", "ledger_commit",
                      "ledger_fsync", "sign"):
        count = f"countersign_{histogram}_seconds_count"
        expect(rise(count) >= 3, f"{count}: {rise(count)}")
    expect(rise("countersign_ledger_batch_size_sum") >= 8, "batch size")


@tap.test
def the_present_is_what_can_be_seen_from_outside():
    m = settled(**AUDIT)
    expect(value(m, "countersign_ledger_state", state="issuing") == 1 and
           sum(m["countersign_ledger_state"].values()) == 1, "state")
    asked = "countersign_reader_question_seconds_count"
    house.cli("audit", "list")
    after = settled(**AUDIT)
    expect(value(after, asked) == value(m, asked) + 1, "questions")
    expect(value(after, "countersign_reader_questions_failed_total") == 0 and
           value(after, "countersign_http_connections_dropped_total") == 0,
           "failed, dropped")
    size = os.path.getsize(os.path.join(house.dir, "ledger.db"))
    expect(value(m, "countersign_database_bytes") == size, "database size")
    expect(value(m, "countersign_wal_bytes") > 0, "WAL size")
    for name, path in (("ca", "issuers/default/chain.pem"),
                       ("listener", "tls/chain.pem")):
        out = run("openssl", "x509", "-noout", "-enddate", "-in",
                  os.path.join(house.dir, path)).stdout
        end = time.mktime(time.strptime(out.split("=")[1].strip(),
                                        "%b %d %H:%M:%S %Y %Z")) - time.timezone
        expect(list(m[f"countersign_{name}_not_after_timestamp_seconds"]
                    .values()) == [end], f"{name}: not {end}")
    expect(value(m, "countersign_attempts_unresolved") == 0, "attempts")
    expect(abs(time.time() - value(m, "countersign_checkpoint_timestamp_"
                                      "seconds")) < 60, "checkpoint")
    expect(value(m, "countersign_backup_timestamp_seconds") == 0, "backup")
    house.cli("backup", os.path.join(house.root, "b"))
    m = settled(**AUDIT)
    expect(abs(time.time() - value(m, "countersign_backup_timestamp_seconds"))
           < 60, "backup")


@tap.test
def pending_requests_are_counted():
    house.submit("ci", CSR, "p-1", approved=False)
    house.submit("ci", CSR, "p-2", approved=False)
    end = time.monotonic() + 15
    while value(scrape(**AUDIT)[0], "countersign_requests_open",
                state="pending") != 2:
        expect(time.monotonic() < end, "never two")
        time.sleep(0.2)


@tap.test
def what_clients_choose_makes_no_series():
    def series(samples):
        return sum(len(s) for s in samples.values())
    before = series(settled(**AUDIT))
    for i in range(20):
        house.submit("ci", CSR, f"series-{i}")
        house.submit("ci", CSR, f"other-{i}", issuer=f"series-{i}")
        house.http("GET", f"/nothing/{i}?x={i}", **AUDIT)
        house.http("GET", "/v1/status", token=f"cs_{i}_x")
    after = settled(**AUDIT)
    expect(series(after) <= before + 4, f"{before} series became "
           f"{series(after)}")
    expect(not re.search("series-|metrics.example", str(after)), "a name")


@tap.test
def a_listed_address_needs_no_credential():
    expect(house.stop() == 0, "stop")
    path = os.path.join(house.dir, "countersign.yaml")
    with open(path, encoding="utf-8") as f:
        text = f.read()
    expect("scrape_from: []" in text, text)

    def configure(nets):
        with open(path, "w", encoding="utf-8") as f:
            f.write(text.replace("scrape_from: []", f"scrape_from: {nets}"))
    configure('["10.0.0.0/8", "127.0.0.0/30"]')
    house.start()
    scrape()
    expect(house.http("GET", "/v1/audit")[0] == 401, "more than /metrics")
    expect(house.stop() == 0, "stop")
    configure('["10.0.0.0/8", "127.0.0.128/25", "::/0"]')
    house.start()
    expect(house.http("GET", "/metrics")[0] == 401, "not listed")
    expect(house.stop() == 0, "stop")
    configure('["localhost"]')
    done = run(os.environ.get("COUNTERSIGN_FAULTS", "./countersign-faults"),
               "serve", "--dir", house.dir, check=False)
    expect(done.returncode == 2 and "`localhost` is no address" in done.stderr,
           done.stderr)
    configure("[]")
    house.start()


@tap.test
def alerts_ask_for_what_there_is():
    house.submit("ci", "nonsense", "alerts")
    house.submit("ci", CSR, "alerts-issued")
    settled(**AUDIT)
    samples, types = scrape(**AUDIT)
    with open(os.path.join(ALERTS, "alerts.yml"), encoding="utf-8") as f:
        rules = f.read()
    with open(os.path.join(ALERTS, "alerts.test.yml"), encoding="utf-8") as f:
        played = f.read()
    asked = set(re.findall(r"\bcountersign_\w+", rules))
    expect(len(asked) > 15, f"only {len(asked)}")
    there = set(types) | {name for name in samples}
    expect(asked <= there, f"no such metric: {asked - there}")
    for label, word in re.findall(r'\b(state|kind|verdict)="(\w+[.\w]*)"',
                                  rules):
        expect(any((label, word) in key for s in samples.values()
                   for key in s), f'no {label}="{word}"')
    alerts = re.findall(r"alert: (\w+)", rules)
    for alert in alerts:
        expect(f'alertname="{alert}"' in played, f"{alert} is not tested")


status = tap.run()
house.close()
sys.exit(status)
