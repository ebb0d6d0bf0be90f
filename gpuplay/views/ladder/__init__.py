"""A ladder as a page, with the source that changed."""
