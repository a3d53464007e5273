"""JESRL: expressions switched between two faces block by block, and a classifier that learns from the results.

Paper                 Code
I_a, I_b, y^i, y^j    image, label of a face and of its partner; every pair goes in both orders
I_c, I_d              switched: every face with its partner's expression
I'_a, I'_b            rebuilt
G_enc, G_dec          encoder, decoder
R_a, R_c              Encoded.representation, `switched`; n blocks of channels
S                     code_of: 20 channels a class, 1 where its block is switched
D_1, D_2              discriminators at full and at half size, conditioned on the class
C, FC                 classifier
F^(i)                 frozen_vgg.maps
Eq. 2  r^i            block_mask
Eq. 3  R_c            switch
Eq. 4  I_c            Jesrl.draw
Eq. 5  L_adv          adversarial_loss
Eq. 6  R_c^p          interpolate
Eq. 7  L_inter        interpolation_loss
Eq. 8  L_C            classification_loss
Eq. 9  L_r            reconstruction_loss
Eq. 10 L_p            pixel_sum_loss
Eq. 11 L_per          perceptual_loss
Eq. 12 L              Jesrl.stages
"""

from typing import TYPE_CHECKING

from mien.models.lazy import names_in

if TYPE_CHECKING:
    from mien.models.jesrl.config import *
    from mien.models.jesrl.equations import *
    from mien.models.jesrl.model import *
else:
    __getattr__ = names_in(__name__, "config", "equations", "model")
