import pytest

from audiocrawler.model.addresses import AddressPolicy, plain_host
from audiocrawler.model.errors import ConfigurationError

SPELLINGS_OF_LOOPBACK = [
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0X7F.0.0.0x1",
    "0177.0.0.1",
    "017700000001",
    "127.0.0.1.",
    "１２７.０.０.１",  # noqa: RUF001 - full-width digits
    "127。0。0。1",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:7f00:0001]",
]

REFUSED = {
    "0.0.0.0": "unspecified",
    "0.1.2.3": "unspecified",
    "10.0.0.1": "private",
    "100.64.0.1": "carrier-grade NAT",
    "100.127.255.255": "carrier-grade NAT",
    "100.100.100.200": "metadata",
    "127.0.0.1": "loopback",
    "127.255.255.254": "loopback",
    "168.63.129.16": "metadata",
    "169.254.0.1": "link-local",
    "169.254.169.254": "metadata",
    "169.254.170.2": "metadata",
    "172.16.0.1": "private",
    "172.31.255.255": "private",
    "192.0.0.192": "reserved",
    "192.0.2.1": "documentation",
    "192.88.99.1": "6to4",
    "192.168.1.1": "private",
    "198.18.0.1": "benchmark",
    "198.19.255.255": "benchmark",
    "224.0.0.1": "multicast",
    "239.255.255.255": "multicast",
    "240.0.0.1": "reserved",
    "255.255.255.255": "reserved",
    "::": "unspecified",
    "::1": "loopback",
    "::7f00:1": "IPv4-compatible",
    "::ffff:10.0.0.1": "private",
    "::ffff:169.254.169.254": "metadata",
    "::ffff:0:7f00:1": "reserved",
    "64:ff9b::7f00:1": "loopback",
    "64:ff9b::a9fe:a9fe": "metadata",
    "64:ff9b:1::808:808": "local NAT64",
    "100::1": "reserved",
    "2001::1": "Teredo",
    "2001:2::1": "benchmark",
    "2001:20::1": "reserved",
    "2001:db8::1": "documentation",
    "2002:7f00:1::": "6to4",
    "2002:808:808::": "6to4",
    "3fff::1": "documentation",
    "4000::1": "reserved",
    "fc00::1": "private",
    "fd00:ec2::254": "metadata",
    "fd12:3456::1": "private",
    "fe80::1": "link-local",
    "fe80::1%eth0": "link-local",
    "fec0::1": "private",
    "ff02::1": "multicast",
}

PUBLIC = ["8.8.8.8", "100.63.255.255", "100.128.0.0", "172.32.0.1", "192.169.0.1", "198.20.0.1", "223.255.255.255"]
PUBLIC += ["::ffff:8.8.8.8", "64:ff9b::808:808", "2606:4700::1111", "2a00:1450:4001::1"]


@pytest.mark.parametrize(("address", "kind"), REFUSED.items())
def test_an_address_outside_the_public_internet_is_refused_and_named(address, kind):
    reason = AddressPolicy([]).refusal("example.org", 80, address)
    assert reason is not None
    assert f"({kind})" in reason
    assert "\n" not in reason


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_may_be_connected_to(address):
    assert AddressPolicy([]).refusal("example.org", 80, address) is None


@pytest.mark.parametrize("host", SPELLINGS_OF_LOOPBACK)
def test_every_spelling_of_an_address_is_that_address(host):
    assert plain_host(host) == "127.0.0.1"
    assert "loopback" in str(AddressPolicy([]).refusal(host, 80, host))
    assert AddressPolicy([f"http://{host}:8000/page"]).refusal("127.0.0.1", 8000, "127.0.0.1") is None


@pytest.mark.parametrize(
    "address", ["", "example.org", "1.2.3.4.5", "127.0.0.1 x", "[::1:2:3:4:5:6:7:8:9", "300.1.1.1"]
)
def test_what_is_no_address_is_refused(address):
    assert "is not an IP address" in str(AddressPolicy([], "0.0.0.0/0 ::/0").refusal("example.org", 80, address))


def test_host_and_port_of_each_start_are_exempt_and_nothing_else():
    policy = AddressPolicy(["http://localhost:8000/a", "https://Intranet.example./", "http://[::1]/", "nonsense"])
    assert policy.refusal("localhost", 8000, "127.0.0.1") is None
    assert policy.refusal("LOCALHOST.", 8000, "::1") is None
    assert policy.refusal("intranet.example", 443, "10.0.0.1") is None
    assert policy.refusal("[::1]", 80, "::1") is None
    assert policy.refusal("localhost", 8001, "127.0.0.1")
    assert policy.refusal("intranet.example", 80, "10.0.0.1")
    assert policy.refusal("other.example", 8000, "127.0.0.1")
    assert policy.refusal("127.0.0.1", 8000, "127.0.0.1")


def test_a_start_that_led_to_the_internet_may_not_lead_inside_later():
    policy = AddressPolicy(["https://example.org/"])
    assert policy.refusal("example.org", 443, "8.8.8.8") is None
    assert policy.refusal("example.org", 443, "127.0.0.1")


@pytest.mark.parametrize(
    ("allowed", "host", "port", "address"),
    [
        ("10.0.0.0/8", "media.example", 80, "10.1.2.3"),
        ("192.168.0.0/16, 10.0.0.0/8", "media.example", 80, "10.1.2.3"),
        ("10.0.0.0/8", "media.example", 80, "::ffff:10.1.2.3"),
        ("10.1.2.3", "media.example", 80, "10.1.2.3"),
        ("0xa.1.2.3", "media.example", 80, "10.1.2.3"),
        ("10.1.2.3:8080", "media.example", 8080, "10.1.2.3"),
        ("media.lan", "MEDIA.lan.", 81, "10.1.2.3"),
        ("media.lan:8080", "media.lan", 8080, "10.1.2.3"),
        ("fd00::/8", "media.example", 80, "fd12::1"),
        ("::1", "media.example", 80, "::1"),
        ("[::1]", "media.example", 80, "::1"),
        ("[fd12::1]:8080", "media.example", 8080, "fd12::1"),
    ],
)
def test_what_the_setting_names_is_exempt(allowed, host, port, address):
    assert AddressPolicy([]).refusal(host, port, address)
    assert AddressPolicy([], allowed).refusal(host, port, address) is None


@pytest.mark.parametrize(
    ("allowed", "host", "port", "address"),
    [
        ("10.0.0.0/8", "media.example", 80, "11.0.0.1.x"),
        ("10.0.0.0/8", "media.example", 80, "192.168.0.1"),
        ("10.1.2.3:8080", "media.example", 80, "10.1.2.3"),
        ("media.lan:8080", "media.lan", 80, "10.1.2.3"),
        ("media.lan", "not-media.lan", 80, "10.1.2.3"),
        ("127.0.0.0/8", "media.example", 80, "64:ff9b::7f00:1"),
    ],
)
def test_what_the_setting_does_not_name_stays_refused(allowed, host, port, address):
    assert AddressPolicy([], allowed).refusal(host, port, address)


@pytest.mark.parametrize(
    "wrong",
    [
        "10.0.0.1/8",
        "10.0.0.0/40",
        "300.1.1.1",
        "http://media.lan/",
        "media.lan:0",
        "media.lan:99999",
        ":80",
        "-x",
        "[::1",
    ],
)
def test_a_wrong_setting_is_named_in_one_line(wrong):
    with pytest.raises(ConfigurationError) as raised:
        AddressPolicy([], f"10.0.0.0/8 {wrong}")
    assert str(raised.value).startswith(f"AUDIO_ALLOW_ADDRESSES={wrong}: not a network")
    assert "\n" not in str(raised.value)
