"""What rdi is built from: the lowest versions it takes, its packages' licences, and what is known against them."""
