"""Makes ``python -m windrow`` the same as ``windrow``. Owns nothing."""

from windrow.cli.app import main

if __name__ == "__main__":
    main()
