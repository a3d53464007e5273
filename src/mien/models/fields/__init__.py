"""Fields: a face's expression is changed by moving, shading and opening its pixels; none is repainted.

Ours, not a paper's: docs/fields.md tells it as one.

Symbol           Code
x, y             batch.target.image, batch.truth: one person in two expressions
v                view
c, ĉ, c'         code_of, FieldModel.read, asked_code
E                reader
G                mover
f, s, a, p       Fields.motion, .shade, .alpha, .paint
f*, m, k         batch.motion.flow, .mouth, .known
D                critic
Eq. 1  c         code_of
Eq. 2  L_read    code_loss
Eq. 3  û         shrunk
Eq. 4  g         gate
Eq. 5  y'        composed
Eq. 5a p         Teeth.laid_over
Eq. 5b RGB       Tint.painted
Eq. 5c ℓ         lid
Eq. 5d a, p      lips
Eq. 6  L_flow    flow_loss
Eq. 7  s*        true_shade
Eq. 8  L_shade   shade_loss
Eq. 9  L_open    opening_loss
Eq. 10 L_paint   paint_loss
Eq. 10a L_teeth  teeth_loss
Eq. 11 L_look    look_losses
Eq. 12 L_near    near_loss
Eq. 13 L_fool    fool_loss
Eq. 14 L_critic  critic_loss
Eq. 15 L_reach   reached_loss
Eq. 16 u'        corrected
"""

from typing import TYPE_CHECKING

from mien.models.lazy import names_in

if TYPE_CHECKING:
    from mien.models.fields.code import *
    from mien.models.fields.config import *
    from mien.models.fields.equations import *
    from mien.models.fields.model import *
    from mien.models.fields.pairs import *
    from mien.models.fields.roll import *
    from mien.nn.teeth import Dentition, Teeth
    from mien.nn.tint import Tint, tint_of
    from mien.nn.warp import composed
else:
    __getattr__ = names_in(
        __name__,
        "code",
        "config",
        "equations",
        "model",
        "pairs",
        "roll",
        "mien.nn.teeth",
        "mien.nn.tint",
        "mien.nn.warp",
    )
