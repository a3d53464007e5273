"""TER-GAN: transfer, editing and recognition by two encoders that keep expression and identity apart.

Paper                 Code
x_s, x_t, x̄           batch.source.image, batch.target.image, fake
G_es, G_et, G_de      expression_encoder, identity_encoder, decoder
f(e), f(i)            their outputs, 30 and 50 numbers
D = [D_e, D_i]        discriminator; class n of D_e is "fake"
D_es, D_et            expression_game, identity_game
h1_l, h2_l            frozen_expression_encoder.maps, frozen_identity_encoder.maps
ω1_l, ω2_l            MAP_WEIGHTS
Eq. 1  L_D            discriminator_loss
Eq. 2  L_G            generator_loss
Eq. 3  L_adv          adversarial_loss
Eq. 4  L_Des          expression_consistency_loss
Eq. 5  L_Det          identity_consistency_loss
Eq. 6  L_irec         identity_reconstruction_loss
Eq. 7  L_erec         expression_reconstruction_loss
Eq. 8  L_ef           expression_feature_loss
Eq. 9  L_if           identity_feature_loss
Eq. 10 total          TerGan.stages
"""

from typing import TYPE_CHECKING

from mien.models.lazy import names_in

if TYPE_CHECKING:
    from mien.models.ter_gan.config import *
    from mien.models.ter_gan.model import *
else:
    __getattr__ = names_in(__name__, "config", "model")
