"""Pages and the JSON API, one blueprint per noun."""
