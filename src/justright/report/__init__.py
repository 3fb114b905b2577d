"""Cards to one offline HTML page."""
