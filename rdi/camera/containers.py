"""What a raw file's container says of itself, read before LibRaw touches it."""

# Suffixes under which cameras and converters write raw files that LibRaw knows.
RAW_SUFFIXES = frozenset(
    ".3fr .ari .arw .bay .cr2 .cr3 .crw .dcr .dng .erf .fff .iiq .k25 .kdc .mef .mos .mrw .nef .nrw .orf .ori .pef .raf "
    ".raw .rw2 .rwl .sr2 .srf .srw .x3f".split()
)
