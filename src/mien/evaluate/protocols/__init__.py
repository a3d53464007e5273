"""A protocol a file: trials and answers to tables and figures."""
