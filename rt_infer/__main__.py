"""`python -m rt_infer` is `rt-infer`."""

import sys

from rt_infer.cli import main

sys.exit(main())
