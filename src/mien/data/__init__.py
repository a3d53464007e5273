"""Data sets: a folder of images with a metadata.csv, from corpora of other people to the batches of a training.

`importing` writes such folders, `manifest` reads their labels, `dataset` and `sets` open them with their images,
`folds` and `relatives` say who may be tested when whom is trained on; `checks` look a set through, `sampling` pairs its
rows.
"""
