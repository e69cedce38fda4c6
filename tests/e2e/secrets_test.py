#!/usr/bin/env python3
"""The CA key is in the signer's memory and nowhere else (run as root)."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib.house import House, Tap, expect  # noqa: E402
from tests.lib.memory import holds, private_scalar  # noqa: E402

tap = Tap()
house = House()
house.start()
house.client_add("ci", "submit", "approve")
CSR = house.csr("www.secret.example")
for i in range(20):
    house.submit("ci", CSR, f"k{i}")


KEY = private_scalar(os.path.join(house.dir, "issuers/default/key.pem"))


@tap.test
def the_scan_finds_the_key_where_it_must_be():
    expect(len(KEY) == 32, f"a scalar of {len(KEY)} octets")
    expect(holds(house.rooms()["cs-signer"], KEY),
           "the signer does not hold its own key: the scan is blind")


@tap.test
def no_other_process_holds_the_key():
    rooms = house.rooms()
    rooms["parent"] = house.process.pid
    expect(len(rooms) >= 6, str(rooms))
    found = [name for name, pid in rooms.items()
             if name != "cs-signer" and holds(pid, KEY)]
    expect(not found, f"the key is in {found}")


@tap.test
def no_process_may_be_dumped_or_traced_by_its_peers():
    rooms = house.rooms()
    for name, pid in rooms.items():
        with open(f"/proc/{pid}/limits", encoding="ascii") as f:
            core = next(l for l in f if l.startswith("Max core"))
        expect(core.split()[4] == "0", f"{name}: {core}")
        # A process that is not dumpable belongs to root in /proc; as root
        # the mode of its memory says the same.
        owner = os.stat(f"/proc/{pid}/mem").st_uid
        expect(owner == 0, f"{name}: /proc/{pid}/mem belongs to {owner}")


@tap.test
def each_room_holds_only_its_own_descriptors():
    for name, pid in house.rooms().items():
        links = {os.readlink(f"/proc/{pid}/fd/{fd}")
                 for fd in os.listdir(f"/proc/{pid}/fd")}
        files = {l for l in links if l.startswith(house.dir)}
        if "signer" in name or "worker" in name or "front" in name:
            expect(not files, f"{name} holds {files}")
        if "reader" in name:
            expect(all("ledger.db" in f for f in files), f"{name}: {files}")
        expect(not any("key.pem" in l or "log.key" in l for l in links),
               f"{name} still holds a key file")


@tap.test
def key_files_are_for_their_owner_only():
    for path in ("issuers/default/key.pem", "log.key", "tls/key.pem",
                 "offline/root.key"):
        mode = os.stat(os.path.join(house.dir, path)).st_mode & 0o777
        expect(mode == 0o600, f"{path} has mode {mode:o}")
    expect(house.stop() == 0, "stop")
    key = os.path.join(house.dir, "issuers/default/key.pem")
    os.chmod(key, 0o644)
    house.start(wait=False)
    expect(house.wait_end() not in (0, 75), "started with a readable key")
    expect("key.pem" in house.log_text(), "and did not say why")


status = tap.run()
house.close()
sys.exit(status)
