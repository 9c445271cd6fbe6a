"""`python -m gilscope` and the installed command."""

from gilscope.cli import main

if __name__ == "__main__":
    main(prog_name="gilscope")
