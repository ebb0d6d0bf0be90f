"""What commands are made of: a kernel opened, a plan made, a record begun, cells measured, a page presented."""
