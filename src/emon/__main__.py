"""`python -m emon`: the same as the command."""

from emon.cli import main

if __name__ == "__main__":
    main()
