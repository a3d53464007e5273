"""A face in an array of pixels: found, its landmarks, aligned to the template, followed through a clip, changed."""
