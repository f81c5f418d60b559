#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""folders.py: no folder includes what stands above it (DESIGN.md, "The house"). One check a folder."""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MAY_INCLUDE = {
    "dataplane": {"dataplane"},
    "lcores": {"lcores", "dataplane"},
    "control": {"control", "lcores", "dataplane"},
    "bench": {"bench"},
    "bench/gate": {"bench", "dataplane"},
    "bench/micro": {"bench", "control", "lcores", "dataplane"},
    "bench/ndr": {"bench", "control", "lcores", "dataplane"},
    "bench/snapshot": {"bench", "control", "lcores", "dataplane"},
    "bench/pipeline": {"bench", "control", "lcores", "dataplane"},
}
SHARED = {"bench": {"dataplane/etd_wire.h"}}
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.M)


def sources(folder):
    for path, folders, names in os.walk(os.path.join(ROOT, folder)):
        folders[:] = [name for name in folders
                      if os.path.relpath(os.path.join(path, name), ROOT) not in MAY_INCLUDE]
        yield from (os.path.join(path, name) for name in sorted(names) if name.endswith((".c", ".h")))


def included(path):
    """Paths from the root of what a file includes: beside the file, else from the root."""
    with open(path, encoding="utf-8") as source:
        names = INCLUDE.findall(source.read())
    for name in names:
        beside = os.path.normpath(os.path.join(os.path.dirname(path), name))
        yield os.path.relpath(beside, ROOT) if os.path.exists(beside) else os.path.normpath(name)


def faults(folder, path):
    for name in included(path):
        if name.split(os.sep)[0] not in MAY_INCLUDE[folder] and name not in SHARED.get(folder, ()):
            yield "%s includes %s" % (os.path.relpath(path, ROOT), name)
        elif not os.path.exists(os.path.join(ROOT, name)):
            yield "%s includes %s, which is not there" % (os.path.relpath(path, ROOT), name)


def main():
    failed = 0
    for folder in MAY_INCLUDE:
        paths = list(sources(folder))
        found = [line for path in paths for line in faults(folder, path)]
        for line in found or ([] if paths else ["%s has no sources" % folder]):
            print("FAILED: " + line)
        failed += bool(found) or not paths
    print("%d passed, %d failed" % (len(MAY_INCLUDE) - failed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
