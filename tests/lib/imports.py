"""Imports for tests: foreign policies translated, and both judged alike."""
import json
import os
import random
import re
import tempfile

from tests.lib import foreign
from tests.lib.house import COUNTERSIGN, expect, run

REQUESTS = 60
work = tempfile.TemporaryDirectory()


def path(name):
    return os.path.join(work.name, name)


def write(name, text):
    with open(path(name), "w", encoding="utf-8") as f:
        f.write(text)
    return path(name)


def imported(text, *options, name="foreign.yaml"):
    """(exit status, documents, report) of an import."""
    done = run(COUNTERSIGN, "policy", "import", write(name, text), *options,
               check=False)
    return done.returncode, done.stdout, done.stderr


def check(native, cases):
    """{number of the case: sentence} of those that went otherwise."""
    tests = [{"name": str(n), "request": request,
              "expect": {"verdict": "issued" if good else "refused"}}
             for n, (request, good) in enumerate(cases)]
    text = native + "  tests:\n" + "".join(
        f"    - {json.dumps(t, ensure_ascii=False)}\n" for t in tests)
    done = run(COUNTERSIGN, "policy", "check", write("native.yaml", text),
               "-o", "json", check=False)
    wrong = {}
    for p in json.loads(done.stdout)["problems"]:
        if p["severity"] != "error":
            continue
        found = re.search(r"test `(\d+)` failed: (.*)", p["text"])
        expect(found, f"{p['text']}\n{native}")
        wrong.setdefault(int(found[1]), found[2])
    return wrong


def sample(maker, requests, seed, count):
    """[(policy, requests)]: random ones, the same for the same seed."""
    rnd = random.Random(seed)
    return [(made, [requests(rnd, made) for _ in range(REQUESTS)])
            for made in (maker(rnd) for _ in range(count))]


def differ(drawn, verdicts, options, document):
    """
    Translate each policy and judge its requests; `verdicts` has what the
    foreign system says. How many were let out, and refused, and how many
    policies the report calls the same.
    """
    count = {True: 0, False: 0}
    exact = 0
    for n, ((made, asked), said) in enumerate(zip(drawn, verdicts)):
        status, native, report = imported(document(made, n), *options)
        expect(status in (0, 1) and native, f"{made}\n{report}")
        shadow = "mode: shadow" in native
        native = native.replace("  mode: shadow\n", "")
        same = status == 0
        exact += same
        cases = list(zip(asked, said))
        for good in said:
            count[good] += 1
        if shadow:
            continue
        for k, why in check(native, cases).items():
            request, good = cases[k]
            two_ways = not all(foreign.reads_in_one_way(u)
                               for u in request.get("uri", []))
            told = f"{json.dumps(made)}\n{json.dumps(request)}\n{why}\n" \
                   f"{native}{report}"
            expect(good, "wider than it was:\n" + told)
            expect(not same or two_ways, "narrower than it says:\n" + told)
    return count[True], count[False], exact


