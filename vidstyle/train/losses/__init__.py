"""Training losses: one function per term, one file per family.

Every loss is a scalar, a mean over batch, channels and positions, so that weights do not depend on
the size of crops. Pictures are RGB (N, 3, H, W) in [0, 1]; features are (N, C, h, w) from one
layer of a network; flows are (N, 2, H, W) as in :mod:`vidstyle.motion.estimator`.

Under autocast, compute losses in float32: squares of features overflow half precision.
"""
