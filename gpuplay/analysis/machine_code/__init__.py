"""What compiled code is made of: instructions, loops, registers, occupancy."""
