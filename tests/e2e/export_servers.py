# SPDX-License-Identifier: Apache-2.0
"""The servers that windows are pushed to, from Debian's packages, on loopback with scratch folders: an InfluxDB that can be killed and comes
back with what it had, also over TLS; a VictoriaMetrics, and vmauth before it. Each goes when its block ends."""
import datetime
import ipaddress
import json
import os
import signal
import ssl
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

from appliance import free_tcp_port
from influx_peer import INFLUXD_CONFIG


class Server:
    """A program that listens on self.port; start and kill may be called again and again."""

    def __init__(self, folder, scheme="http"):
        self.folder, self.port, self.process, self.context = folder, free_tcp_port(), None, None
        self.url = "%s://127.0.0.1:%d" % (scheme, self.port)
        os.makedirs(folder, exist_ok=True)

    def command(self):
        raise NotImplementedError

    def start(self):
        with open(os.path.join(self.folder, "said"), "ab") as said:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                                            env={"PATH": "/usr/bin:/bin", "HOME": self.folder})
        for _ in range(300):
            try:
                urllib.request.urlopen(self.url + "/ping", timeout=5, context=self.context).close()
                return self
            except urllib.error.HTTPError:
                return self     # it answers, if not to that
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.1)
        with open(os.path.join(self.folder, "said"), encoding="utf-8", errors="replace") as said:
            raise RuntimeError("%s did not start: %s" % (self.command()[0], said.read()[-2000:]))

    def kill(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(timeout=10)
            self.process = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def open(self, path, body=None):
        with urllib.request.urlopen(urllib.request.Request(self.url + path, data=body), timeout=20,
                                    context=self.context) as answer:
            return answer.read().decode()


class Influxd(Server):
    def __init__(self, program, folder, tls=False, body_max=25000000):
        super().__init__(folder, "https" if tls else "http")
        self.program = program
        self.config = os.path.join(folder, "influxd.conf")
        text = INFLUXD_CONFIG.format(folder=folder, rpc=free_tcp_port(), http=self.port)
        text = text.replace("[http]\n", "[http]\nmax-body-size = %d\n" % body_max)
        if tls:
            self.ca = make_certificate(folder)
            self.context = ssl.create_default_context(cafile=self.ca)
            text = text.replace("[http]\n", "[http]\nhttps-enabled = true\nhttps-certificate = \"%s/server.pem\"\n" % folder)
        with open(self.config, "w", encoding="ascii") as out:
            out.write(text)

    def command(self):
        return [self.program, "-config", self.config]

    def ask(self, query, database=""):
        arguments = urllib.parse.urlencode({"q": query, "db": database, "epoch": "ns"})
        result = json.loads(self.open("/query?" + arguments, b""))["results"][0]
        if "error" in result:
            raise RuntimeError("influxd: %s: %s" % (query, result["error"]))
        return result.get("series", [])

    def points(self, database, measurement):
        """{(kpi or None, level, region or None, site or None, time): {field: value}}"""
        found = {}
        for series in self.ask('SELECT *::field FROM "%s" GROUP BY *' % measurement, database):
            tags = tuple(series["tags"].get(key) or None for key in ("kpi", "level", "region", "site"))
            for row in series["values"]:
                fields = {name: value for name, value in zip(series["columns"][1:], row[1:]) if value is not None}
                found[tags + (row[0],)] = fields
        return found

    def count(self, database):
        return sum(len(self.points(database, m)) for m in ("estream_window_kpi", "estream_window_scope"))


class Victoria(Server):
    def __init__(self, program, folder):
        super().__init__(folder)
        self.program = program

    def command(self):
        return [self.program, "-storageDataPath=%s/data" % self.folder, "-httpListenAddr=127.0.0.1:%d" % self.port]

    def points(self, measurement, database=""):
        """As Influxd's; here a field is a series, and the time is of milliseconds."""
        self.open("/internal/force_flush")
        query = urllib.parse.urlencode({"match[]": '{__name__=~"%s_.*",db="%s"}' % (measurement, database)})
        found = {}
        for line in self.open("/api/v1/export?" + query).splitlines():
            series = json.loads(line)
            labels = series["metric"]
            tags = tuple(labels.get(key) for key in ("kpi", "level", "region", "site"))
            for stamp, value in zip(series["timestamps"], series["values"]):
                found.setdefault(tags + (stamp * 10 ** 6,), {})[labels["__name__"][len(measurement) + 1:]] = value
        return found


class Vmauth(Server):
    """Lets through who brings the bearer's token."""

    def __init__(self, program, folder, behind, token):
        super().__init__(folder)
        self.program = program
        with open(os.path.join(folder, "auth.yml"), "w", encoding="ascii") as out:
            out.write('users:\n- bearer_token: "%s"\n  url_prefix: "%s"\n' % (token, behind))

    def command(self):
        return [self.program, "-auth.config=%s/auth.yml" % self.folder, "-httpListenAddr=127.0.0.1:%d" % self.port]


def make_certificate(folder):
    """server.pem for 127.0.0.1 of a CA of its own, whose certificate's path this is."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    def certificate(name, key, issuer, issuer_key, extensions):
        now = datetime.datetime.utcnow()
        builder = x509.CertificateBuilder(issuer, name, key.public_key(), x509.random_serial_number(),
                                          now - datetime.timedelta(days=1), now + datetime.timedelta(days=2))
        for extension in extensions:
            builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        return builder.sign(issuer_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def named(text):
        return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])

    authority, server = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    path = os.path.join(folder, "ca.pem")
    with open(path, "wb") as out:
        out.write(certificate(named("test authority"), authority, named("test authority"), authority,
                              [x509.BasicConstraints(ca=True, path_length=None)]))
    with open(os.path.join(folder, "server.pem"), "wb") as out:
        out.write(certificate(named("127.0.0.1"), server, named("test authority"), authority,
                              [x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])]))
        out.write(server.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                       serialization.NoEncryption()))
    return path
