"""`make bench`: says what is measured and what is not yet."""

SAYS = """\
There is no benchmark to run yet. The figures in docs/architecture.md and docs/adr/ were measured while the design was
made, on a 2-core machine, and each names what it compares. The tests marked as negative controls repeat the ones about
loss and duplication: they count what a naive reader loses and what ours does not.
"""

if __name__ == "__main__":
    print(SAYS, end="")
