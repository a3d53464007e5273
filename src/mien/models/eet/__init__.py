"""EET: two faces swap their expressions by features that carry action units (AUs) and features free of them.

Paper                      Code
I^a, I^b                   batch.target and batch.source, one after the other as `faces` (2B); `partners` swaps them
İ^a, Ǐ^a, Î^a              swapped, own, crossed
u, û, u_d                  faces.aus, `estimates` (normalised to [0, 1]), levels
d, n                       subject, config.subjects
p, v                       pose_label; config.poses
m, l                       len(units), LEVELS
E, C                       encoder, attributes
E_f, E_r, G                free_encoder, unit_encoder, generator
f, f_f                     features, free
f_ri, f_r                  maps[:, i], unit
D_u, D_d                   unit_discriminator, identity_discriminator
D_sc, D_g                  swap_discriminator, image_discriminator
w_i, o_i                   unit_weights; occurrence.rates()
Eq. 1  u_d        rounded_levels
Eq. 2  L_u^(D)    unit_discrimination_loss
Eq. 3  L_u^(E)    unit_confusion_loss
Eq. 4  L_d^(D)    identity_discrimination_loss
Eq. 4  L_d^(E)    identity_confusion_loss
Eq. 5  L_u        unit_intensity_loss
Eq. 5  w          unit_weights
Eq. 6  f_r        fused_feature
Eq. 7  L_c        attribute_loss
Eq. 8  L_sc^(D)   swap_discrimination_loss
Eq. 8  L_sc       swap_consistency_loss
Eq. 9  L_r        reconstruction_loss
Eq. 10  L_adg^(D) image_discrimination_loss
Eq. 10  L_adg     image_adversarial_loss
Eq. 11  L_EET     Eet.stages
Eq. 12  L_EET     Eet.stages
"""

from typing import TYPE_CHECKING

from mien.models.lazy import names_in

if TYPE_CHECKING:
    from mien.models.eet.config import *
    from mien.models.eet.equations import *
    from mien.models.eet.model import *
else:
    __getattr__ = names_in(__name__, "config", "equations", "model")
