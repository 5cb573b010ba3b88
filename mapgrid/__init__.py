"""The rules of rural grid governance: frames and small frozen values in, new ones out."""
