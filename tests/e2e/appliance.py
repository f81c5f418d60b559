# SPDX-License-Identifier: Apache-2.0
"""What whole-program tests have running: a link to a machine of its own, the appliance, senders. Every wait is
bounded, and everything goes when its `with` block ends."""
import json
import os
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NO_HUGE = ["--no-huge", "-m", "256"]


def free_tcp_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def hugepages_free():
    try:
        with open("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages") as count:
            return int(count.read())
    except OSError:
        return 0


class Link:
    """A veth pair as scripts/network.sh makes it: 10.9.0.1 and fd00:9::1 at the far end."""
    count = 0

    def __init__(self):
        Link.count += 1
        self.name = "esf%d%c" % (os.getpid(), ord("g") + Link.count % 20)
        self.near = self.name + "a"
        self.far = self.name + "b"

    def _script(self, verb):
        return subprocess.run([os.path.join(ROOT, "scripts/network.sh"), verb, self.name], timeout=30,
                              check=False).returncode

    def __enter__(self):
        if self._script("up") != 0:
            raise RuntimeError("no veth pair")
        return self

    def __exit__(self, *_):
        self._script("down")

    def inside(self, command):
        """The command as it runs on the far end's machine."""
        return ["ip", "netns", "exec", self.name] + command

    def run(self, *command, timeout=30):
        return subprocess.run(self.inside(list(command)), capture_output=True, text=True, timeout=timeout,
                              check=False)


class Appliance:
    """estream-fleetd run, from a configuration text in which HTTP stands for the API's address."""

    def __init__(self, build, config, eal):
        self.port = free_tcp_port()
        self.url = "http://127.0.0.1:%d" % self.port
        self.folder = tempfile.TemporaryDirectory(prefix="esf-e2e-")
        path = os.path.join(self.folder.name, "fleet.yaml")
        with open(path, "w") as out:
            out.write(config.replace("HTTP", "127.0.0.1:%d" % self.port))
        self.command = [os.path.join(build, "estream-fleetd"), *eal, "--", "run", "--config", path]
        self.said = os.path.join(self.folder.name, "said")
        self.process = None
        self.stop_seconds = None

    def __enter__(self):
        with open(self.said, "wb") as out:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=subprocess.STDOUT)
        for _ in range(300):
            if "\nready: " in "\n" + self.output():
                return self
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        output = self.output()
        self.__exit__()
        raise RuntimeError("the appliance did not start: %s" % output)

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(timeout=10)
        self.folder.cleanup()

    def output(self):
        with open(self.said, encoding="utf-8", errors="replace") as text:
            return text.read()

    def text(self, path):
        with urllib.request.urlopen(self.url + path, timeout=5) as answer:
            return answer.read().decode()

    def get(self, path):
        return json.loads(self.text("/api/v1/" + path))

    def ledger_when(self, enough, seconds):
        """The ledger, once enough(ledger) or after so many seconds."""
        for _ in range(int(seconds * 10)):
            ledger = self.get("ledger")
            if enough(ledger):
                break
            time.sleep(0.1)
        return ledger

    def stop(self):
        """SIGTERM; the exit code (None: it had to be killed after 10 s) and the last line."""
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = None
        self.stop_seconds = time.monotonic() - begun
        lines = self.output().splitlines()
        return code, lines[-1] if lines else ""


class Sender:
    """fleetgen send on the link's far end; `summary` is what it said in the end."""

    def __init__(self, build, link, folder, name, arguments):
        # Until it knows the hardware address the kernel keeps little of what is sent, births first of all.
        host = arguments[arguments.index("--to") + 1].rpartition(":")[0].strip("[]")
        link.run("ping", "-n", "-c", "1", "-W", "5", host)
        self.labels_path = os.path.join(folder, name + ".labels.json")
        command = [os.path.join(build, "fleetgen"), "send", *arguments, "--labels", self.labels_path, "--json"]
        self.process = subprocess.Popen(link.inside(command), stdin=subprocess.DEVNULL, text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.summary = self.labels = None

    def finish(self, timeout):
        try:
            out, errors = self.process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            out, errors = self.process.communicate()
        if self.process.returncode != 0:
            raise RuntimeError("fleetgen: exit %d: %s" % (self.process.returncode, errors))
        self.summary = json.loads(out)
        with open(self.labels_path) as labels:
            self.labels = json.load(labels)
        return self.summary


class Watch:
    """Reads the ledger again and again on a thread of its own; `unbalanced` has those that did not balance."""

    def __init__(self, appliance, period=0.05):
        self.appliance, self.period = appliance, period
        self.count, self.unbalanced = 0, []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self):
        while not self.over.wait(self.period):
            ledger = self.appliance.get("ledger")
            self.count += 1
            if not balances(ledger):
                self.unbalanced.append(ledger)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join(timeout=10)


def balances(ledger):
    """Added up here, whatever the ledger says of itself."""
    datagrams, records = dict(ledger["datagrams"]), dict(ledger["records"])
    return (ledger["balanced"] and
            datagrams.pop("received") == sum(datagrams.values()) + ledger["in_flight"] and
            records.pop("received") == sum(records.values()))
