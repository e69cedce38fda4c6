"""Pages whose commands are run, and whose output is that of a real run.

A block fenced with ```console holds commands, each a line that begins with
`$ ` (with `> ` for what continues it), and below each what it printed. A
page's blocks run in order in one directory, each in a bash of its own; the
output has to be the page's, but for what differs from run to run: hashes,
serials, times, tokens. A command whose last output line is `exit N` has to end
with that status, all others with 0.

`update()` writes a real run's output into the page.
"""
import re
import subprocess

BLOCK = re.compile(r"^```console\n(.*?)^```$", re.M | re.S)
# What differs from run to run, and what stands for it when two are compared.
VOLATILE = (
    (r"cs_[0-9a-z]+_[A-Za-z0-9_-]+", "<token>"),
    (r"\b[0-9a-f]{4,}…[0-9a-f]{2,}\b", "<hex>"),
    (r"\b[0-9a-f]{8,}\b", "<hex>"),
    (r"\bsha [0-9a-f]{6}\b", "sha <hex>"),
    (r"\b\d+ checkpoints\b", "<number> checkpoints"),
    (r"[A-Za-z0-9+/]{40,}=*", "<base64>"),
    (r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?Z?)?", "<time>"),
    (r"\b[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4} GMT", "<time>"),
    (r"127\.0\.0\.1:\d+", "<address>"),
    (r"\b\d+(\.\d+)? (ms|s|KiB|MiB|GiB|bytes|B)\b", "<measured>"),
    (r"/tmp/countersign-test-\w+", "<root>"),
    (r"\bpid \d+", "pid <number>"),
    (r" +", " "),
)


def normal(text):
    """Text without what differs from run to run."""
    for pattern, word in VOLATILE:
        text = re.sub(pattern, word, text)
    return [line.rstrip() for line in text.strip("\n").split("\n")]


def commands(block):
    """[(command, output)] of one block."""
    found = []
    for line in block.split("\n"):
        if line.startswith("$ "):
            found.append([line[2:], []])
        elif line.startswith("> ") and found and not found[-1][1]:
            found[-1][0] += "\n" + line[2:]
        elif found:
            found[-1][1].append(line)
    return [(c, "\n".join(out).strip("\n")) for c, out in found]


def run(command, env, cwd):
    """What a command prints, and `exit N` where it does not end with 0."""
    done = subprocess.run(["bash", "-c", command], env=env, cwd=cwd, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL, timeout=60)
    out = "\n".join(x.rstrip() for x in done.stdout.strip("\n").split("\n"))
    if done.returncode != 0:
        out += ("\n" if out else "") + f"exit {done.returncode}"
    return out


def differences(page, env, cwd):
    """Sentences, one for each command whose output is not the page's."""
    wrong = []
    with open(page, encoding="utf-8") as f:
        text = f.read()
    for m in BLOCK.finditer(text):
        line = text[:m.start()].count("\n") + 1
        for command, said in commands(m.group(1)):
            got = run(command, env, cwd)
            if normal(got) != normal(said):
                wrong.append(f"{page}:{line}: `{command}` printed\n{got}\n"
                             f"where the page has\n{said}")
    return wrong


def update(page, env, cwd):
    """Write a real run's output into the page."""
    def again(m):
        parts = []
        for command, _ in commands(m.group(1)):
            out = run(command, env, cwd)
            parts.append("$ " + command.replace("\n", "\n> ") +
                         ("\n" + out if out else ""))
        return "```console\n" + "\n".join(parts) + "\n```"

    with open(page, encoding="utf-8") as f:
        text = f.read()
    text = BLOCK.sub(again, text)
    with open(page, "w", encoding="utf-8") as f:
        f.write(text)
