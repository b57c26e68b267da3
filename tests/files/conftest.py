"""Files are read as users have them read: by the command line, on the product with a toy encoder."""

from tests.cli.conftest import ask, left, toy, trained, trained_dir

__all__ = ["ask", "left", "toy", "trained", "trained_dir"]
