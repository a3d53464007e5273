"""REL-GAN: expression codes learned by reenactment, for recognition.

Paper                 Code
x_s, x_t, x_tg, x̄     batch.source.image, batch.target.image, batch.truth, fake
G_es, G_et, G_de      expression_encoder, identity_encoder, decoder
f(e), f(i)            their outputs, 30 and 50 numbers
D = [D_e, D_i]        discriminator; class n of D_e is "fake"
MLP                   recognizer
Eq. 1  L_D            discriminator_loss
Eq. 2  L_G            generator_loss
Eq. 3  L_pixel        pixel_loss
Eq. 4  total          RelGan.stages
"""

from typing import TYPE_CHECKING

from mien.models.lazy import names_in

if TYPE_CHECKING:
    from mien.models.rel_gan.config import *
    from mien.models.rel_gan.model import *
else:
    __getattr__ = names_in(__name__, "config", "model")
