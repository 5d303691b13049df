"""Names in Content-Disposition are read as browsers read them."""

import pytest

from audiocrawler.fetch.file_names import suggested_name, unquoted

NAMES = {
    b"": "",
    b"attachment": "",
    b"attachment; xfilename=a.mp3": "",
    b"attachment; filename=tide.mp3": "tide.mp3",
    b"filename=tide.mp3": "tide.mp3",
    b"attachment; FILENAME = tide.mp3 ; size=3": "tide.mp3",
    b"attachment; filename=low tide.mp3": "low tide.mp3",
    b'attachment; filename="low tide.mp3': "low tide.mp3",
    b'attachment; filename="low; tide.mp3"; size=3': "low; tide.mp3",
    b'attachment; foo="; filename=x.mp3"; filename="tide.mp3"': "tide.mp3",
    rb'attachment; filename="\"low\" \tide\\.mp3"': r'"low" tide\.mp3',
    rb'attachment; filename="C:\music\tide.mp3"': "tide.mp3",
    b'attachment; filename="one.mp3"; filename="two.mp3"': "one.mp3",
    b"attachment; filename='tide.mp3'": "'tide.mp3'",
    # raw bytes
    'attachment; filename="Möwe.mp3"'.encode(): "Möwe.mp3",
    'attachment; filename="Möwe.mp3"'.encode("latin-1"): "Möwe.mp3",
    "attachment; filename=Möwe - Kai €.mp3".encode("cp1252"): "Möwe - Kai €.mp3",
    "attachment; filename=波.mp3".encode(): "波.mp3",
    # RFC 2047
    b'attachment; filename="=?UTF-8?B?TcO2d2UubXAz?="': "Möwe.mp3",
    b"attachment; filename==?utf-8?Q?M=C3=B6we_am=20Kai.mp3?=": "Möwe am Kai.mp3",
    b'attachment; filename="=?UTF-8?Q?M=C3=B6we?= =?iso-8859-1?Q?_f=FCr_alle?=.mp3"': "Möwe für alle.mp3",
    b'attachment; filename="=?klingon?B?TcO2d2UubXAz?="': "Möwe.mp3",
    b'attachment; filename="=?UTF-8?B?!!?= a.mp3"': "a.mp3",
    # RFC 2231 and 8187
    b"attachment; filename*=UTF-8''M%C3%B6we.mp3": "Möwe.mp3",
    b"attachment; filename* = utf-8'de'M%C3%B6we%20am%20Kai.mp3": "Möwe am Kai.mp3",
    b"attachment; filename*=\"UTF-8''M%C3%B6we.mp3\"": "Möwe.mp3",
    b"attachment; filename*=iso-8859-1''M%F6we %80.mp3": "Möwe €.mp3",
    "attachment; filename*=UTF-8''Möwe.mp3".encode(): "Möwe.mp3",
    b"attachment; filename*=Shift_JIS''%94g.mp3": "波.mp3",
    b"attachment; filename=\"a.mp3\"; filename*=UTF-8''b.mp3": "b.mp3",
    b"attachment; filename*=UTF-8''b.mp3; filename=\"a.mp3\"": "b.mp3",
    b"attachment; filename=\"a.mp3\"; filename*=UTF-8''%F6.mp3": "a.mp3",
    b"attachment; filename=\"a.mp3\"; filename*=klingon''b.mp3": "a.mp3",
    b"attachment; filename*=klingon''b.mp3": "b.mp3",
    b"attachment; filename*=M%C3%B6we.mp3": "Möwe.mp3",
    b"attachment; filename*=UTF-8''100%2525.mp3": "100%25.mp3",
    b'attachment; filename="M%C3%B6we.mp3"': "Möwe.mp3",
    b'attachment; filename="M%F6we.mp3"': "Möwe.mp3",
    # continuations
    b'attachment; filename*0="very long "; filename*1="name.mp3"': "very long name.mp3",
    b'attachment; filename*1="name.mp3"; filename*0="very long "': "very long name.mp3",
    b"attachment; filename*0*=UTF-8''M%C3%B6we%20; filename*1=\"am 100%25 \"; filename*2*=Kai%C3%9F.mp3": (
        "Möwe am 100%25 Kaiß.mp3"
    ),
    b"attachment; filename*0*=UTF-8''M%C3; filename*1*=%B6we.mp3": "Möwe.mp3",
    b'attachment; filename*0="a"; filename*2="c.mp3"': "a",
    b'attachment; filename*0="a"; filename*01="b"': "a",
    b'attachment; filename*1="b.mp3"; filename="a.mp3"': "a.mp3",
    b"attachment; filename*0=x.mp3; filename*=UTF-8''b.mp3": "b.mp3",
}


@pytest.mark.parametrize("disposition", NAMES)
def test_the_name_is_what_browsers_save_under(disposition: bytes) -> None:
    assert unquoted(suggested_name(disposition)) == NAMES[disposition]


def test_a_header_that_is_all_quotes_takes_no_time() -> None:
    assert suggested_name(b'attachment; filename="' + b"\\" * 200_001 + b"; " * 50_000) is not None
