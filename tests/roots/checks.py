"""One line a check: what the test groups count."""
import time
import traceback


class Checks:
    def __init__(self):
        self.failed = 0

    def __call__(self, sentence, function, *arguments):
        """`function` returns None or "" when all is well, else what is wrong; it may also raise."""
        start = time.monotonic()
        try:
            wrong = function(*arguments)
        except Exception:  # shown, and the run goes on
            wrong = traceback.format_exc()
        took = f"  # {time.monotonic() - start:.0f} s"
        print(f"{'not ok' if wrong else 'ok'} - {sentence}{took}", flush=True)
        if wrong:
            self.failed += 1
            print("\n".join(f"#   {line}" for line in str(wrong).splitlines()[-60:]), flush=True)
        return not wrong
