"""From a mesh and its textures to a picture."""
