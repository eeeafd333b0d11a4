"""`python -m probatum`: the command line."""

from probatum.cli.main import main

if __name__ == "__main__":
    main()
