"""Commands for those who write the lessons. Learners need none of them."""
