"""The sandbox's clock: real time plus whatever a test advanced it by."""
import time


class Clock:
    def __init__(self):
        self.offset = 0.0

    def now(self):
        """Seconds since 1970."""
        return time.time() + self.offset

    def advance(self, seconds):
        self.offset += seconds
