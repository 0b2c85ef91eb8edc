"""The guides in docs/ are true."""
