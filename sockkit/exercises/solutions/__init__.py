"""Model solutions: one right answer to each exercise. One module a lesson, read like a notebook."""
