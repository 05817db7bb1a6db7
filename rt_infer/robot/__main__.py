"""`python -m rt_infer.robot` is `rt-infer robot`."""

import sys

from rt_infer.cli import main

sys.exit(main(["robot", *sys.argv[1:]]))
