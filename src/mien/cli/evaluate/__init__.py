"""Verbs that measure models the way the papers do, and the options they share."""
