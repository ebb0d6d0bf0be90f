"""The commands, a file each: frozen values come in, a page or a document goes out, an exit code comes back."""
