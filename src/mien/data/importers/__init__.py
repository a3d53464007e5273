"""From corpora as they are distributed to mien's data sets: one file a corpus, listed here by the name people type."""

from mien.data.importers import (
    affectnet,
    bu_3dfe,
    bu_4dfe,
    cfd,
    ck48,
    ck_plus,
    disfa,
    fer2013,
    folder,
    jaffe,
    mmi,
    multi_pie,
    oulu_casia,
    raf_db,
    rafd,
    sfew,
    tables,
)
from mien.data.importers.support.sample import Importer

IMPORTERS: dict[str, Importer] = {
    "ck+": ck_plus.IMPORTER,
    "ck48": ck48.IMPORTER,
    "oulu-casia": oulu_casia.IMPORTER,
    "mmi": mmi.IMPORTER,
    "bu-3dfe": bu_3dfe.IMPORTER,
    "bu-4dfe": bu_4dfe.IMPORTER,
    "multi-pie": multi_pie.IMPORTER,
    "rafd": rafd.IMPORTER,
    "cfd": cfd.IMPORTER,
    "disfa": disfa.IMPORTER,
    "raf-db": raf_db.IMPORTER,
    "sfew": sfew.IMPORTER,
    "jaffe": jaffe.IMPORTER,
    "fer2013": fer2013.IMPORTER,
    "affectnet": affectnet.IMPORTER,
    "folder": folder.IMPORTER,
    "csv": tables.IMPORTER,
}
