"""A session on the product itself with a toy encoder, and one classifier."""
