"""``python -m dsct_gym``: the same as the command ``dsct-gym``."""

from dsct_gym.cli import main

if __name__ == "__main__":
    main()
