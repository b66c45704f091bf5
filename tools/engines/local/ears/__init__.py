"""What a message sounds like: `training` has the ears, which hear with classifiers (`classify`) of a text's `features`.

They are taught (`teaching`) with `examples` written by hand and with `messages` written for it, and `store` has what is
shipped; what is a workspace's own is learnt at its first start.
"""
