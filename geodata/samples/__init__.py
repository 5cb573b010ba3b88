"""The demo's real villages, and what is invented about the people in them."""
