"""The side of the programs in Python: see drivers.py."""
import sys


def ask(name, asking):
    try:
        rows = asking()
    except Exception as problem:        # pylint: disable=broad-except
        rows = " ".join(str(problem).split())
    print(f"{name}\t{rows}", flush=True)
    sys.stdin.readline()
