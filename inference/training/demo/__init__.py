"""Small real models, trained within minutes on a laptop: for a first look, and for our tests.

They know one world: a shape of one colour on a plain ground.
"""
