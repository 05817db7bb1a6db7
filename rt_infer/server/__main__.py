"""`python -m rt_infer.server` is `rt-infer server`."""

import sys

from rt_infer.cli import main

if __name__ == "__main__":
    sys.exit(main(["server", *sys.argv[1:]]))
