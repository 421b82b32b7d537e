"""How it is done: one outside system per file."""

import logging

# What a run waits for and does belongs in its log, on a worker as well; other libraries' lines of that level do not.
logging.getLogger(__name__).setLevel(logging.INFO)
