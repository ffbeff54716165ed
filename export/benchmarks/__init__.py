"""What the network costs: time, memory, arithmetic. `rdi bench` prints it."""
