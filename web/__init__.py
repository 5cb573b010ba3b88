"""Delivery: the Flask application and the command line."""
