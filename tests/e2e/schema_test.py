#!/usr/bin/env python3
"""The JSON Schema of the documents and the loader say the same of keys."""
import copy
import json
import os
import re
import sys
import tempfile

import jsonschema
import yaml

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib.house import COUNTERSIGN, Tap, expect, run  # noqa: E402

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
tap = Tap()
SCHEMA = json.loads(run(COUNTERSIGN, "policy", "schema").stdout)
jsonschema.Draft7Validator.check_schema(SCHEMA)
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)


class Loader(yaml.SafeLoader):
    """Without dates and floats, which are texts for the language."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers
            if tag.rsplit(":", 1)[1] in ("null", "bool", "int")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}


def documents():
    """(where, document) of everything in the tree that loads."""
    files = []
    for folder in ("policies", "policies/examples", "tests/fuzz/corpus/policy"):
        folder = os.path.join(ROOT, folder)
        files += [os.path.join(folder, x) for x in sorted(os.listdir(folder))]
    texts = [(x, open(x, encoding="utf-8").read()) for x in files
             if os.path.isfile(x)]
    with open(os.path.join(ROOT, "docs", "policy.md"), encoding="utf-8") as f:
        page = f.read()
    texts += [("docs/policy.md", x) for x in
              re.findall(r"^```yaml\n(.*?)^```$", page, re.M | re.S)]
    for where, text in texts:
        for document in yaml.load_all(text, Loader):
            if document is not None:
                yield where, document


def problems(document):
    return [f"{'/'.join(map(str, e.absolute_path))}: {e.message}"
            for e in VALIDATOR.iter_errors(document)]


def check(directory, *found):
    """What `policy check` says of these documents."""
    for name in os.listdir(directory):
        os.unlink(os.path.join(directory, name))
    path = os.path.join(directory, "web.yaml")
    with open(path, "w", encoding="utf-8") as f:
        f.write("\n---\n".join(json.dumps(x) for x in found))
    return run(COUNTERSIGN, "policy", "check", path, check=False)


def maps(value, path=()):
    """The path of every map below."""
    if isinstance(value, dict):
        yield path
        for key, child in value.items():
            yield from maps(child, path + (key,))
    if isinstance(value, list):
        for i, child in enumerate(value):
            yield from maps(child, path + (i,))


def at(value, path):
    for step in path:
        value = value[step]
    return value


@tap.test
def every_document_of_the_tree_is_valid():
    found = list(documents())
    expect(len(found) > 20, len(found))
    for where, document in found:
        bad = problems(document)
        expect(not bad, f"{where}: {bad}")


@tap.test
def an_unknown_key_is_refused_by_both_or_by_none():
    kinds = {}
    for where, document in documents():
        for path in maps(document):
            # One map of each kind is enough: lists are all alike.
            kind = tuple("*" if isinstance(x, int) else x for x in path)
            kinds.setdefault((document["kind"], kind), (document, path))
    refused = 0
    with tempfile.TemporaryDirectory() as directory:
        for document, path in kinds.values():
            changed = copy.deepcopy(document)
            at(changed, path)["zzz"] = "x"
            spec = changed.get("spec", {})
            spec.pop("extends", None)
            # Tests need not pass, nor policies make sense: only keys count.
            done = check(directory, changed)
            unknown = re.search(r"zzz`? is (not known|no attribute)|"
                                r"has exactly one key|a table is a map", done.stderr)
            valid = not problems(changed)
            refused += not valid
            expect(valid == (unknown is None),
                   f"{path}: the schema says {problems(changed)}, the loader "
                   f"{done.stderr}")
    expect(len(kinds) > 60 and refused > 50, (len(kinds), refused))


@tap.test
def what_is_not_there_yet_is_refused_by_both():
    base = {"apiVersion": "countersign.dev/v1", "kind": "IssuancePolicy",
            "metadata": {"name": "web"}, "spec": {}}
    later = [("ensure", []), ("guards", []), ("match", {"when": "true"}),
             ("san", {"dns": {"set": "a.example"}}),
             ("windows", {"id": "a", "deny": "2026-12-20T00:00Z/"
                          "2027-01-03T00:00Z", "unless": "true"}),
             ("subject", {"organization": {"allow": {"cel": "true"}}})]
    with tempfile.TemporaryDirectory() as directory:
        for key, value in later:
            document = dict(base, spec={key: value})
            done = check(directory, document)
            expect("not supported yet" in done.stderr, done.stderr)
            expect(problems(document), f"{key} is valid")


@tap.test
def values_of_the_wrong_type_are_refused_by_both():
    base = {"apiVersion": "countersign.dev/v1", "kind": "IssuancePolicy",
            "metadata": {"name": "web"}}
    wrong = [{"mode": "maybe"}, {"priority": "high"}, {"san": []},
             {"san": {"dns": {"allow": []}}},
             {"san": {"dns": {"allow": [{"cidr": "10.0.0.0/8"}]}}},
             {"san": {"dns": {"wildcard": True}}},
             {"subject": {"organization": "Acme"}},
             {"key": {"allow": [{"alg": "DSA"}]}},
             {"key": {"allow": [{"alg": "EC", "bits": 3072}]}},
             {"key": {"reject": ["debian"]}},
             {"validity": {"max": 24}},
             {"extensions": {"basic_constraints": {"ca": "no"}}},
             {"limits": [{"id": "A", "key": "", "rate": "6/1h"}]}]
    with tempfile.TemporaryDirectory() as directory:
        for spec in wrong:
            document = dict(base, spec=spec)
            done = check(directory, document)
            expect(done.returncode == 1, f"{spec} loads")
            expect(problems(document), f"{spec} is valid")


@tap.test
def every_table_of_keys_is_in_the_schema():
    folder = os.path.join(ROOT, "policy")
    with open(os.path.join(folder, "schema.c"), encoding="utf-8") as f:
        schema = f.read()
    tables = set()
    for name in os.listdir(folder):
        if name.startswith("load") and name.endswith(".c"):
            with open(os.path.join(folder, name), encoding="utf-8") as f:
                text = f.read()
            expect("static const struct cs_load_key " not in re.sub(
                r"cs_load_key \*const", "", text), f"{name} hides a table")
            tables |= set(re.findall(
                r"^const struct cs_load_key (cs_keys_\w+)\[", text, re.M))
    expect(len(tables) > 35, tables)
    for table in tables:
        expect(re.search(rf"\b{table}\b", schema), table)


sys.exit(tap.run())
