"""Asks the server in this container whether it lives; the exit code is the answer."""

import os
import sys
import urllib.request

direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy of the container leads elsewhere
try:
    direct.open(f"http://127.0.0.1:{os.environ.get('DEIXIS_PORT', '8484')}/healthz", timeout=5)
except OSError as error:
    sys.exit(f"no answer: {error}")
