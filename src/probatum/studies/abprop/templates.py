"""What the simulated repertoire is recombined from: families of V segments, and J segments.

The families are written in the image of common human ones, by hand and one per kind; their names are their own.
They are no germline table: nothing that is learned from them is about real genes.
"""

from __future__ import annotations

from typing import NamedTuple


class Family(NamedTuple):
    """A V segment by region, up to and with the cysteine 104."""

    name: str
    chain: str
    fr1: str
    cdr1: str
    fr2: str
    cdr2: str
    fr3: str
    cdr3_start: str  # the part of CDR3 that V encodes


class Joining(NamedTuple):
    """A J segment: the end of CDR3 and FR4."""

    name: str
    chain: str
    cdr3_end: str
    fr4: str


FAMILIES = (
    Family("SIMHV1", "H", "QVQLVQSGAEVKKPGASVKVSCKAS", "GYTFTSYY", "MHWVRQAPGQGLEWMGI", "INPSGGST",
           "SYAQKFQGRVTMTRDTSTSTVYMELSSLRSEDTAVYYC", "AR"),
    Family("SIMHV3", "H", "EVQLVESGGGLVQPGGSLRLSCAAS", "GFTFSSYA", "MSWVRQAPGKGLEWVSA", "ISGSGGST",
           "YYADSVKGRFTISRDNSKNTLYLQMNSLRAEDTAVYYC", "AK"),
    Family("SIMHV4", "H", "QVQLQESGPGLVKPSETLSLTCTVS", "GGSISSYY", "WSWIRQPPGKGLEWIGY", "IYYSGST",
           "NYNPSLKSRVTISVDTSKNQFSLKLSSVTAADTAVYYC", "AR"),
    Family("SIMKV1", "K", "DIQMTQSPSSLSASVGDRVTITCRAS", "QSISSY", "LNWYQQKPGKAPKLLIY", "AAS",
           "SLQSGVPSRFSGSGSGTDFTLTISSLQPEDFATYYC", "QQ"),
    Family("SIMKV3", "K", "EIVLTQSPATLSLSPGERATLSCRAS", "QSVSSY", "LAWYQQKPGQAPRLLIY", "DAS",
           "NRATGIPARFSGSGSGTDFTLTISSLEPEDFAVYYC", "QQ"),
    Family("SIMLV1", "L", "QSVLTQPPSVSGAPGQRVTISCTGS", "SSNIGAGYD", "VHWYQQLPGTAPKLLIY", "GNS",
           "NRPSGVPDRFSGSKSGTSASLAITGLQAEDEADYYC", "QS"),
)  # fmt: skip
JOININGS = (
    Joining("SIMHJ3", "H", "AFDI", "WGQGTMVTVSS"),
    Joining("SIMHJ4", "H", "YFDY", "WGQGTLVTVSS"),
    Joining("SIMHJ6", "H", "YYGMDV", "WGQGTTVTVSS"),
    Joining("SIMKJ1", "K", "WT", "FGQGTKVEIK"),
    Joining("SIMKJ4", "K", "LT", "FGGGTKVEIK"),
    Joining("SIMLJ2", "L", "VV", "FGGGTKLTVL"),
)
