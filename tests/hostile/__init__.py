"""A model that obeys whatever it reads, so that safety is a property of our code and not of a model's mood.

`orders` is the language of the injections and how the model reads it, `model` the model, `payloads` the wordings and
the goals, `places` where they stand, `world` the product under attack, `findings` what must not have happened.
"""
