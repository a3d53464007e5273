"""Settings that make every model small enough to be trained from end to end in a test."""

TINY: dict[str, dict[str, int]] = {  # every length and width
    "ter_gan": {
        "image_size": 32,
        "width": 2,
        "subjects": 5,
        "discriminator_width": 2,
        "batch_size": 10,
        "pretrain_steps": 2,
        "steps": 4,
        "recognition_steps": 3,
    },
    "judge": {"image_size": 32, "width": 2, "subjects": 5, "batch_size": 10, "steps": 4},
}

NARROW: dict[str, dict[str, int]] = {  # widths alone: a preset in its own structure and image size
    "ter_gan": {"width": 2, "discriminator_width": 2, "subjects": 5},
    "judge": {"width": 2, "subjects": 5},
}
