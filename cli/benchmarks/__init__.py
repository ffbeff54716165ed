"""What `rdi bench` can measure: a module for each mode, with `measure(request)`, loaded when the mode is chosen."""
