"""What the tests of files for operators share: the wheel, and an environment that holds nothing else of Windrow."""

from tests.packages import alone, wheel

__all__ = ["alone", "wheel"]
