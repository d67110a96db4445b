"""A newcomer: an empty machine, and nothing but what the pages say."""
