"""The reference pages, made of the code: `make reference` writes them, and a test holds them against it."""
