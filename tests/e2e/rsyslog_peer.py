#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""rsyslog_peer.py BUILD [RSYSLOGD]: a real rsyslogd on the far end of a link forwards what it is told over UDP, in RFC 5424's
form and in the traditional one, to the appliance on a DPDK port: each message is in the ledger and in the events, with the
text, the severity and the host that rsyslog sent. Needs root. RSYSLOGD stands where its package was unpacked, modules beside."""
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from appliance import NO_HUGE, Appliance, Link, balances
from checks import Checks
from live import check_stop, eal_on, nothing_else

MESSAGES = 480      # of each form; with all of them an event, half the log's size
HOST = "plant-7"
FORMS = {"rfc5424": "RSYSLOG_SyslogProtocol23Format", "traditional": "RSYSLOG_TraditionalForwardFormat"}
FACILITY = 3        # daemon
TEXTS = ("Inverter %d ground fault", "pump %d: vibration 3.5 mm/s [bearing]", "Lüfter %d steht – 45 °C", "%d")

CONFIG = """\
profile: small
domain: energy
ports:
  - {port: 0, addresses: [10.9.0.2/24]}
listeners:
  - {udp: 5514, format: syslog}
rollup: {window: 2s, windows_open: 2, epoch: 200ms}
http: {listen: "HTTP"}
signatures:
  - {match: "(?i)inverter .* ground fault", code: ground_fault, severity: 1, state: raise}
sites:
  - {id: 1, name: %s}
  - {id: 2, name: by-address, addresses: [10.9.0.1]}
""" % HOST

RSYSLOG = """\
global(workDirectory="%(folder)s" localHostname="%(host)s" net.enableDNS="off" maxMessageSize="8k"
	parser.escape8BitCharactersOnReceive="off")
module(load="imuxsock" sysSock.use="off")
"""
RSYSLOG_FORM = """\
ruleset(name="%(form)s") {
	action(type="omfwd" target="10.9.0.2" port="5514" protocol="udp" template="%(template)s")
}
input(type="imuxsock" socket="%(folder)s/%(form)s" ruleset="%(form)s" rateLimit.interval="0" useSpecialParser="on")
"""


class Rsyslogd:
    """In the foreground of the link's far end, with a folder of its own; gone when the block ends."""

    def __init__(self, program, link, folder):
        self.program, self.link, self.folder = program, link, folder
        self.process = None

    def __enter__(self):
        path = os.path.join(self.folder, "rsyslog.conf")
        with open(path, "w", encoding="ascii") as out:
            out.write(RSYSLOG % {"folder": self.folder, "host": HOST})
            for form, template in FORMS.items():
                out.write(RSYSLOG_FORM % {"form": form, "template": template, "folder": self.folder})
        command = [self.program, "-n", "-f", path, "-i", os.path.join(self.folder, "pid")]
        environment = dict(os.environ, TZ="UTC")
        libraries = os.path.normpath(os.path.join(os.path.dirname(self.program), "../lib/x86_64-linux-gnu"))
        if libraries != "/usr/lib/x86_64-linux-gnu" and os.path.isdir(os.path.join(libraries, "rsyslog")):
            command += ["-M", os.path.join(libraries, "rsyslog")]
            environment["LD_LIBRARY_PATH"] = libraries
        self.said = open(os.path.join(self.folder, "said"), "w+", encoding="utf-8", errors="replace")
        self.process = subprocess.Popen(self.link.inside(command), stdin=subprocess.DEVNULL, stdout=self.said,
                                        stderr=subprocess.STDOUT, env=environment)
        for _ in range(100):
            if all(os.path.exists(os.path.join(self.folder, form)) for form in FORMS):
                return self
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        said = self.output()
        self.__exit__()
        raise RuntimeError("rsyslogd did not start: %s" % said)

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.said.close()

    def output(self):
        self.said.seek(0)
        return self.said.read()[-2000:]

    def tell(self, form, messages):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.connect(os.path.join(self.folder, form))
            for i, (severity, text) in enumerate(messages):
                stamp = time.strftime("%b %e %H:%M:%S", time.gmtime())
                sender.send(("<%d>%s plantd[77]: %s" % (FACILITY * 8 + severity, stamp, text)).encode())
                if i % 16 == 15:
                    time.sleep(0.005)


def messages_of(form):
    """[(severity, text)], no two alike."""
    return [(i % 8, TEXTS[i // 8 % len(TEXTS)] % i + (" " + form)) for i in range(MESSAGES)]


def as_sent(form, messages):
    """In RFC 5424's form rsyslog's MSG keeps the blank that stood behind the tag."""
    return [(severity, (" " if form == "rfc5424" else "") + text) for severity, text in messages]


def events_of(messages):
    """What /api/v1/events shows of them: those of a signature, and warnings and worse."""
    shown = []
    for severity, text in messages:
        if text.lstrip().startswith("Inverter"):
            shown.append((HOST, "ground_fault", 1, "raise", "syslog", text))
        elif severity <= 4:
            shown.append((HOST, None, severity, "message", "syslog", text))
    return shown


def forward_all(checks, appliance, peer):
    sent = []
    for form in FORMS:
        peer.tell(form, messages_of(form))
        sent += as_sent(form, messages_of(form))
    ledger = appliance.ledger_when(lambda now: now["records"]["accepted"] >= len(sent), 10)
    time.sleep(0.6)     # control takes events once an epoch
    for kind in ("datagrams", "records"):
        counts = nothing_else(ledger[kind], ("received", "neighbour", "extension_header", "not_ours"))
        checks.equal(kind, counts, {"accepted": len(sent)})
    checks.that("the ledger balances", balances(ledger), ledger)
    checks.equal("messages of the host that rsyslog named", appliance.get("ledger?site=" + HOST)["records"]["accepted"],
                 len(sent))
    check_events(checks, appliance.get("events?limit=1000"), sent)


def check_events(checks, told, sent):
    got = [(e["site"], e["code"], e["severity"], e["state"], e["source"], e["text"]) for e in told["events"]]
    want = events_of(sent)
    checks.equal("events dropped", told["dropped"], 0)
    checks.equal("events that were not sent", sorted(set(got) - set(want), key=str)[:5], [])
    checks.equal("events that are missing", sorted(set(want) - set(got), key=str)[:5], [])
    checks.equal("events", len(got), len(want))
    checks.equal("events by code", told["matched"], {"ground_fault": sum(e[1] is not None for e in want)})
    plain = [severity for severity, text in sent if not text.lstrip().startswith("Inverter")]
    checks.equal("messages without signature, by severity", told["unmatched"],
                 {str(severity): plain.count(severity) for severity in range(8)})
    checks.that("their times are of now", all(abs(told["time"] - e["time"]) < 60e9 for e in told["events"]))


def main(build, rsyslogd=None):
    checks = Checks()
    rsyslogd = rsyslogd or shutil.which("rsyslogd")
    if os.geteuid() != 0 or not rsyslogd:
        checks.skip("rsyslog", "not root, or no rsyslogd to be had")
        checks.finish()
    with tempfile.TemporaryDirectory(prefix="esf-rsyslog-") as folder, Link() as link:
        with Appliance(build, CONFIG, eal_on(link, NO_HUGE)) as appliance:
            answers = link.run("ping", "-c", "1", "-W", "2", "10.9.0.2").returncode
            checks.equal("10.9.0.2 answers", answers, 0)
            with Rsyslogd(rsyslogd, link, folder) as peer:
                forward_all(checks, appliance, peer)
                checks.equal("rsyslogd has nothing to say", peer.output(), "")
            check_stop(checks, "rsyslog", appliance)
    checks.finish()


if __name__ == "__main__":
    main(*sys.argv[1:])
