# SPDX-License-Identifier: Apache-2.0
"""What offers: ndr-generator, or Pktgen-DPDK. Both take a line RATE COUNT and answer with a line of JSON."""
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
START_LINES_MAX = 1000


class Generator:
    name = "the generator"
    repeats = False  # the same datagrams again and again

    def __init__(self, command, environment=None):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env={**os.environ, **(environment or {})})

    def wait(self):
        for _ in range(START_LINES_MAX):
            line = self.process.stdout.readline()
            if line.strip() == "ready":
                return
            if not line:
                break
        sys.exit(f"{self.name} did not start" + self.printed())

    def send(self, pps, count):
        self.process.stdin.write(f"{pps} {count}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.name} ended before its time" + self.printed())
        return json.loads(line)

    def printed(self):
        """Of what it printed, the last."""
        return ""

    def stop(self):
        self.process.stdin.close()
        try:
            code = self.process.wait(timeout=15)
            return "" if code == 0 else f"{self.name} ended with {code}"
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return f"{self.name} had to be killed"


class Own(Generator):
    def __init__(self, arguments, material, places, devices, config):
        # vhost shares the generator's memory with the appliance
        memory = ["--in-memory"] if arguments.huge and arguments.link == "vhost" else ["--no-huge"]
        super().__init__([f"{arguments.build}/ndr-generator", *memory, "--no-shconf", "-m", "256", "--no-pci",
                          "--no-telemetry", "--log-level=error", "--lcores", f"0@{places.generator}", *devices, "--",
                          "--config", config, "--capture", material.capture, "--births", material.births])


def pktgen_eal(arguments, places, devices):
    memory = ["--in-memory"] if arguments.huge else ["--no-huge", "--no-shconf", "-m", "1536"]
    return [*memory, "--no-pci", "--no-telemetry", "--lcores", f"0@{places.control},1@{places.generator}", "--main-lcore",
            "0", *devices]


class Pktgen(Generator):
    name = "Pktgen-DPDK"
    repeats = True

    def __init__(self, capture, log, eal):
        self.log = log
        super().__init__([os.path.join(HERE, "..", "pktgen", "pktgen.sh"), "--capture", capture, "--log", log, "--", *eal])

    def printed(self):
        with open(self.log, encoding="utf-8", errors="replace") as text:
            printed = re.sub(r"\x1b\[[0-9;]*[A-Za-z]|\r", "", text.read())
        return ":\n" + "\n".join([line for line in printed.splitlines() if line.strip()][-12:])
