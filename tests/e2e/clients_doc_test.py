#!/usr/bin/env python3
"""docs/clients.md shows what happens: its commands, run in order."""
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib.certs import CA  # noqa: E402
from tests.lib.house import COUNTERSIGN, House, Tap, expect  # noqa: E402

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
PAGE = os.path.join(ROOT, "docs", "clients.md")
tap = Tap()


def plain(text):
    """Without what is another one each time: digests, numbers, dates."""
    text = re.sub(r"cs_[0-9a-f]+_[0-9a-f]+…?", "TOKEN", text)
    text = re.sub(r"\b[0-9a-f]{16,64}\b", "HEX", text)
    text = re.sub(r"\d{4}-\d\d-\d\d(T[\d:.]+Z)?", "TIME", text)
    text = re.sub(r"(?m)^\d+\s+TIME", "N TIME", text)
    return re.sub(r"[ \t]+", " ", text).strip()


@tap.test
def every_command_on_the_page_does_what_the_page_shows():
    with House() as house:
        house.start()
        work = os.path.join(house.root, "work")
        os.mkdir(work)
        os.symlink(os.path.abspath(COUNTERSIGN),
                   os.path.join(work, "countersign"))
        shutil.copy(CA(house.root, "other").leaf("gw")[0],
                    os.path.join(work, "gw.pem"))
        shutil.copy(CA(house.root, "mesh").path,
                    os.path.join(work, "mesh-ca.pem"))
        with open(PAGE, encoding="utf-8") as f:
            blocks = re.findall(r"^```console\n(.*?)^```$", f.read(),
                                re.M | re.S)
        commands = [c for b in blocks for c in re.split(r"(?m)^\$ ", b)[1:]]
        expect(len(commands) > 7, commands)
        for text in commands:
            line, _, shown = text.partition("\n")
            done = subprocess.run(
                ["bash", "-c", line], cwd=work, text=True, timeout=60,
                capture_output=True,
                env=dict(house.env, COUNTERSIGN_DIR=house.dir,
                         PATH=work + ":" + os.environ["PATH"]))
            expect(done.returncode == 0, f"{line}: {done.stderr}")
            expect(plain(done.stdout) == plain(shown),
                   f"{line}\nshown:\n{plain(shown)}\n"
                   f"is:\n{plain(done.stdout)}")


sys.exit(tap.run())
