"""ExprGAN: editing by a real-valued expression code whose elements set style and intensity.

Paper                 Code
x, y                  an image; (B, K) which of the K expressive classes is present, all 0 for neutral
g(x) = G_enc(x)       encoder, 50 numbers in (-1, 1)
z, z_y                noise ~ U(-1, 1) in place of g(x); noise behind the code, d numbers
c = F_ctrl(y, z_y)    expression_code: (B, K d), block i of d numbers for class i
G_dec                 decoder
Q, D_img              regressor and image_head on one trunk, which sees (x, y)
D_z                   code_head
φ_l, β_l              ExprGan._identity_maps; MAP_WEIGHT
classifier of y_B     classifier
Eq. 3  F_ctrl         expression_code
Eq. 4  I(c;x̂|y)       information_bound
Eq. 5  L_Q            regularizer_loss
Eq. 6  L_pixel        pixel_loss
Eq. 7  L_id           identity_loss
Eq. 8  L_adv^z        code_adversarial_value
Eq. 9  L_adv^img      image_adversarial_value
Eq. 10 L_ExprGAN      ExprGan.stages
"""

from typing import TYPE_CHECKING

from mien.models.lazy import names_in

if TYPE_CHECKING:
    from mien.models.expr_gan.config import *
    from mien.models.expr_gan.equations import *
    from mien.models.expr_gan.model import *
    from mien.models.expr_gan.supervision import *
else:
    __getattr__ = names_in(__name__, "config", "equations", "model", "supervision")
