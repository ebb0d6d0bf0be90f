"""What all pages are laid out with: columns, footnotes, files."""
