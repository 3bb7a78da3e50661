"""The frame proxy as a process: `python -m harness.lab.frames CONTROL_PORT`."""

import sys

from harness.lab.frames.proxy import FrameProxy

if __name__ == "__main__":
    FrameProxy(int(sys.argv[1])).serve()
