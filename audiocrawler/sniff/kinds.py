"""The kinds of files that are told apart, and the tables of bytes that tell them.

The extension is part of the name under which an object is stored, so what is here once stays as it is: another
extension would store the same bytes a second time. New formats may be added for bytes that were ``bin`` before.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sniffed:
    """A kind of file. ``is_audio`` is None where the bytes do not tell: containers with video, and unknown bytes."""

    extension: str
    content_type: str
    is_audio: bool | None
    name: str


def audio(extension: str, content_type: str, name: str) -> Sniffed:
    """Return a kind that holds sound and nothing else."""
    return Sniffed(extension, content_type, is_audio=True, name=name)


def maybe(extension: str, content_type: str, name: str) -> Sniffed:
    """Return a kind that may hold sound."""
    return Sniffed(extension, content_type, is_audio=None, name=name)


def other(extension: str, content_type: str, name: str) -> Sniffed:
    """Return a kind that cannot be measured as sound."""
    return Sniffed(extension, content_type, is_audio=False, name=name)


UNKNOWN = maybe("bin", "application/octet-stream", "bytes of an unknown kind")
EMPTY = other("bin", "application/octet-stream", "an empty file")

MP3 = audio("mp3", "audio/mpeg", "an MP3 file")
MP2 = audio("mp2", "audio/mpeg", "an MPEG Layer II file")
MP1 = audio("mp1", "audio/mpeg", "an MPEG Layer I file")
AAC = audio("aac", "audio/aac", "an AAC file")
AC3 = audio("ac3", "audio/ac3", "an AC-3 file")
EAC3 = audio("eac3", "audio/eac3", "an E-AC-3 file")
MIDI = other("mid", "audio/midi", "a MIDI file, which holds notes and no sound")
HTML = other("html", "text/html", "an HTML page")
XML = other("xml", "application/xml", "an XML document")
JSON = other("json", "application/json", "a JSON document")
M3U = other("m3u", "audio/mpegurl", "an M3U playlist")
PLS = other("pls", "audio/x-scpls", "a PLS playlist")
VTT = other("vtt", "text/vtt", "WebVTT subtitles")
TEXT = other("txt", "text/plain", "plain text")

MAGIC: dict[bytes, Sniffed] = {
    b"fLaC": audio("flac", "audio/flac", "a FLAC file"),
    b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00": audio("w64", "audio/x-w64", "a Wave64 file"),
    b"#!AMR-WB": audio("awb", "audio/amr-wb", "an AMR-WB file"),
    b"#!AMR": audio("amr", "audio/amr", "an AMR file"),
    b"MAC ": audio("ape", "audio/x-ape", "a Monkey's Audio file"),
    b"wvpk": audio("wv", "audio/x-wavpack", "a WavPack file"),
    b"TTA1": audio("tta", "audio/x-tta", "a True Audio file"),
    b"TTA2": audio("tta", "audio/x-tta", "a True Audio file"),
    b"caff": audio("caf", "audio/x-caf", "a Core Audio file"),
    b".snd": audio("au", "audio/basic", "an AU file"),
    b"MPCK": audio("mpc", "audio/x-musepack", "a Musepack file"),
    b"MP+": audio("mpc", "audio/x-musepack", "a Musepack file"),
    b"DSD ": audio("dsf", "audio/x-dsf", "a DSF file"),
    b"FRM8": audio("dff", "audio/x-dff", "a DSDIFF file"),
    b"OFR ": audio("ofr", "audio/x-optimfrog", "an OptimFROG file"),
    b"tBaK": audio("tak", "audio/x-tak", "a TAK file"),
    b"ADIF": AAC,
    b"NIST_1A\n": audio("sph", "audio/x-nist", "a NIST SPHERE file"),
    b"Creative Voice File\x1a": audio("voc", "audio/x-voc", "a Creative Voice file"),
    b".ra\xfd": audio("ra", "audio/vnd.rn-realaudio", "a RealAudio file"),
    b"\x7f\xfe\x80\x01": audio("dts", "audio/vnd.dts", "a DTS file"),
    b".RMF": maybe("rm", "application/vnd.rn-realmedia", "a RealMedia file"),
    b"FLV\x01": maybe("flv", "video/x-flv", "a Flash video"),
    b"\x00\x00\x01\xba": maybe("mpg", "video/mpeg", "an MPEG video"),
    b"MThd": MIDI,
    b"\xff\xd8\xff": other("jpg", "image/jpeg", "a JPEG image"),
    b"\x89PNG\r\n\x1a\n": other("png", "image/png", "a PNG image"),
    b"GIF8": other("gif", "image/gif", "a GIF image"),
    b"%PDF-": other("pdf", "application/pdf", "a PDF document"),
    b"PK\x03\x04": other("zip", "application/zip", "a ZIP archive"),
    b"\x1f\x8b\x08": other("gz", "application/gzip", "a gzip archive"),
    b"Rar!\x1a\x07": other("rar", "application/vnd.rar", "a RAR archive"),
    b"7z\xbc\xaf\x27\x1c": other("7z", "application/x-7z-compressed", "a 7z archive"),
    b"\xff\xfe<\x00": HTML,
    b"\xfe\xff\x00<": HTML,
}

RIFF = {
    b"WAVE": audio("wav", "audio/wav", "a WAV file"),
    b"AVI ": maybe("avi", "video/x-msvideo", "an AVI video"),
    b"WEBP": other("webp", "image/webp", "a WebP image"),
    b"RMID": MIDI,
}

FORM = {
    b"AIFF": audio("aiff", "audio/aiff", "an AIFF file"),
    b"AIFC": audio("aifc", "audio/aiff", "an AIFF-C file"),
    b"8SVX": audio("8svx", "audio/8svx", "an 8SVX file"),
}

MP4 = maybe("mp4", "video/mp4", "an MP4 file")
MOV = maybe("mov", "video/quicktime", "a QuickTime file")
M4A = audio("m4a", "audio/mp4", "an M4A file")
FTYP_BRANDS = {
    b"M4A ": M4A,
    b"M4B ": audio("m4b", "audio/mp4", "an M4B file"),
    b"M4P ": M4A,
    b"F4A ": M4A,
    b"qt  ": MOV,
    b"3gp": maybe("3gp", "video/3gpp", "a 3GP file"),
    b"3g2": maybe("3g2", "video/3gpp2", "a 3G2 file"),
    b"avif": other("avif", "image/avif", "an AVIF image"),
    b"heic": other("heic", "image/heic", "a HEIC image"),
    b"mif1": other("heic", "image/heif", "a HEIF image"),
}
QUICKTIME_ATOMS = (b"moov", b"mdat", b"wide", b"free", b"skip")

OGG_CODECS = {
    b"\x80theora": maybe("ogv", "video/ogg", "an Ogg video"),
    b"OpusHead": audio("opus", "audio/ogg", "an Ogg Opus file"),
    b"\x01vorbis": audio("ogg", "audio/ogg", "an Ogg Vorbis file"),
    b"\x7fFLAC": audio("oga", "audio/ogg", "an Ogg FLAC file"),
    b"Speex   ": audio("spx", "audio/ogg", "an Ogg Speex file"),
}
