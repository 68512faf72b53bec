"""Every process's words, on this machine and so in all of its roots: what a play puts there, any
user of a node can read. A thread that looks often; a process that lives shorter may be missed.
"""
import os
import threading

LOOK_S = 0.03
LOOKS = 4  # at one process: its words change when it becomes another program


class WordWatch(threading.Thread):
    def __init__(self):
        super().__init__(name="word-watch", daemon=True)
        self.seen, self.ended = set(), threading.Event()

    def run(self):
        looks = {}
        while not self.ended.wait(LOOK_S):
            now = {}
            for name in filter(str.isdigit, os.listdir("/proc")):
                now[name] = looks.get(name, 0) + 1
                if now[name] <= LOOKS:
                    self.look(name)
            looks = now

    def look(self, process):
        try:
            with open(f"/proc/{process}/cmdline", "rb") as f:
                self.seen.add(f.read())
        except OSError:
            pass

    def stop(self):
        self.ended.set()
        if self.is_alive():
            self.join()

    def shows(self, secret):
        return any(secret in words for words in self.seen.copy())
