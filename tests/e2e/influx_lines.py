# SPDX-License-Identifier: Apache-2.0
"""Datagrams of the line protocol for influx_peer.py: a table by feature, a seeded generator, and the ones on which the
appliance is meant to differ from InfluxDB."""
import random

AT_S = 1_700_000_000            # arrival of all of them
NOW = b"%d000000000" % AT_S

MEASUREMENTS = [
    rb"m v=1", rb"m\,n v=1", rb"m\ n v=1", rb"m\=n v=1", rb"=m v=1", rb"m=n v=1", rb"m\x v=1", rb"\m v=1", rb"m\\ v=1",
    rb"m\\,t=a v=1", rb"m\\\ n v=1", rb"m\\\\,t=a v=1", rb"m\,\ \,n v=1", rb'"q" v=1', rb'm"n v=1', rb'"m n" v=1',
    rb"m#n v=1",
    rb"m\#n v=1", rb'm\"n v=1', rb'm\n\"\=\o v=1', rb"'m' v=1", rb"m.n.o v=1", rb"m/n:o;p v=1", b"m\tn v=1", b"m\0n v=1",
    b"m\x01n v=1",
    "Außentemperatur v=1".encode(), "\u6e29\u5ea6 v=1".encode(), "m\U0001f321 v=1".encode(), b"m" * 200 + b" v=1",
    rb",t=a v=1", rb" ,t=a v=1",
    rb"\,m v=1", rb"\ m v=1", rb"m", rb"m ", rb"m\ ", rb"m\ v=1", rb"m,", rb"m, v=1", rb"\ ", rb"\\", rb",", rb"=",
    rb"m\, v=1",
    b"  m v=1", b"\tm v=1", b"\0m v=1", b" \t m v=1", rb"1 v=1", rb"-1.5e3 v=1", rb"true v=1", rb"m* v=1", rb"m$ v=1",
    rb"m[0] v=1", rb"m{} v=1",
    rb"m|n v=1", rb"m%20 v=1", rb"_m v=1", rb"M v=1",
]
TAGS = [
    rb"m,t=a v=1", rb"m,a=b,c=d,e=f v=1", rb"m,c=d,a=b v=1", rb"m,t=a=b v=1", rb"m,t==a v=1", rb"m,t=\=a v=1",
    rb"m,t=a\=b v=1",
    rb"m,t=a\ b v=1", rb"m,t=a\,b v=1", rb"m,t=a\b v=1", rb"m,t=a\\ v=1", rb"m,t=a\\b v=1", rb"m,t=a\\,u=b v=1",
    rb"m,t=a\ v=1", rb"m,t=a\, v=1",
    rb"m,t\=u=a v=1", rb"m,t\ u=a v=1", rb"m,t\,u=a v=1", rb"m,t\u=a v=1", rb"m,t\\=a v=1", rb'm,t="a" v=1', rb'm,t="a v=1',
    rb'm,t="a b" v=1',
    rb'm,t="a\ b" v=1', rb'm,t="a\,b" v=1', rb'm,"t"=a v=1', rb"m,t v=1", rb"m,t= v=1", rb"m,=a v=1", rb"m,= v=1",
    rb"m,,t=a v=1",
    rb"m,t=a, v=1", rb"m,t=a,, v=1", rb"m,t=a,u v=1", rb"m,t=a,u= v=1", rb"m,t=a,=b v=1", rb"m,t=a", rb"m,t=a ", rb"m,t=",
    rb"m,t", rb"m ,t=a v=1",
    rb"m, t=a v=1", rb"m,t =a v=1", rb"m,t= a v=1", rb"m,t=a,t=a v=1", rb"m,t=a,t=b v=1", rb"m,t=a,b=c,t=d v=1",
    rb"m,b=c,a=d,b=e v=1",
    rb"m,z=1,y=2,x=3,w=4,v=5,x=6 v=1", rb"m,z=1,y=2,x=3,w=4,v=5,u=6 v=1", rb"m,t\ =a,t\ =b v=1", rb"m,v=1 v=2", rb"m,m=m m=1",
    "m,größe=ä v=1".encode(), b"m,t=a\tb v=1", b"m,t\tu=a v=1", b"m,t=a\0b v=1", rb"m,t=# v=1", rb"m,#=a v=1",
    rb"m,t=1i,u=true,w=-0 v=1",
    rb"m,t=%s v=1" % (b"x" * 300), rb"m,%s=a v=1" % (b"x" * 300),
    rb"m,%s v=1" % b",".join(b"t%d=%d" % (i, i) for i in range(40)),
    rb"m,%s v=1" % b",".join(b"t%d=%d" % (39 - i, i) for i in range(40)), rb"m,_t=a v=1", rb"m,_tagKey=a v=1",
]
SITES = [
    rb"m,site=a v=1", rb"m,site=other v=1,w=2i", rb"m,a=b,site=c,z=d v=1", rb"m,sites=x,sit=y v=1", rb"m,SITE=x v=1",
    rb"m,s\ite=x v=1",
    rb"m,site=a\,b v=1", rb"m,site=a\=b v=1", rb"m,site=a\ b v=1", rb"m,site=a\b v=1", rb"m,site=a\\b v=1",
    rb'm,site="a" v=1', rb'm,site=a\"b v=1',
    rb"m,site=a\,\=b v=1", rb"m,site=a/b v=1", rb"m,site=%s v=1" % (b"s" * 63), rb"m,site=%s v=1" % (b"s" * 64),
    rb"m,site=. v=1", rb"m,site=.. v=1",
    "m,site=Nürnberg v=1".encode(), "m,site=\u98a8 v=1".encode(), b"m,site=a\tb v=1", rb"m,site=a,site=b v=1",
    rb"m,site= v=1", rb"m,site v=1",
    rb"m,site=#a v=1", rb"m,site=10 v=1", rb"m,site=t v=1", rb"m site=1", rb"m,site\ =a v=1", rb"m,\ site=a v=1",
]
FIELDS = [
    rb"m v=1,w=2", rb"m v=1,w=2i,x=t,y=F", rb"m a\,b=1", rb"m a\=b=1", rb"m a\ b=1", rb"m a\b=1", rb"m a\\=1", rb"m a\\b=1",
    rb"m a\\=1,b=2",
    rb"m a\\\=b=1", rb'm a\"b=1', rb'm a"b=1', rb'm "a"=1', rb'm "a b"=1', rb'm "a=1', rb"m a\,b\ c\=d=1", rb"m a=1,b\ =2",
    rb"m a\ =1", rb"m \ a=1",
    rb"m \,a=1", rb"m \=a=1", rb"m a.b.c=1", rb"m a[0]=1", rb"m #a=1", rb"m a#=1,b=2", rb"m 1=1", rb"m -1=1", rb"m true=true",
    "m größe=1".encode(),
    "m \u6e29=1".encode(), b"m a\tb=1", b"m a\0b=1", rb"m %s=1" % (b"f" * 200), rb"m v", rb"m v=", rb"m =1", rb"m =",
    rb"m v=1,", rb"m v=1,,w=2",
    rb"m ,v=1", rb"m v=1,w", rb"m v=1,w=", rb"m v=1,=2", rb"m v,w=1", rb"m v=1=2", rb"m v==1", rb"m v=1,w=2=3", rb"m v = 1",
    rb"m v= 1", rb"m v =1",
    rb"m v=1 ,w=2", rb"m v=1, w=2", rb"m v=1 w=2", rb"m  v=1", rb"m v=1 ", b"m \tv=1", b"m\tv=1", b"m \0v=1", rb"m \v=1",
    rb"m v\=1", rb"m v\ =1 5",
    rb"m v=1\\", rb"m v=1\ ", rb"m v=1\,w=2", rb"m a=1,b=2,c=3,d=4,e=5,f=6,g=7,h=8",
    rb"m %s" % b",".join(b"f%d=%d" % (i, i) for i in range(60)), rb"m v=1;w=2",
    rb"m v:1", rb"m v", rb"m v 1", rb"m 1", rb'm "v"', rb"m v=1,\ =2", rb"m \\v=1", rb"m v\\ =1",
]
STRINGS = [
    rb'm v=""', rb'm v="a"', rb'm v="a b"', rb'm v="a,b"', rb'm v="a=b"', rb'm v="a,b=c d"', rb'm v="a\"b"', rb'm v="a\\"',
    rb'm v="a\\\"b"', rb'm v="\\\\"',
    rb'm v="a\b"', rb'm v="a\ b"', rb'm v="a\,b"', rb'm v="a\nb"', rb'm v="a', rb'm v="', rb'm v=a"', rb'm v="a\"',
    rb'm v="a\\\"', rb'm v="a""', rb'm v="a"b',
    rb'm v="a"b" c"', rb'm v="a"1', rb'm v=1"a"', rb'm v="a" "b"', rb'm v="a""b"', rb"m v='a'", rb"m v=a", rb"m v=abc",
    rb'm v="a",w=2', rb'm v="a",w="b"',
    rb'm v="a,w=1",x=2', rb'm v="a"w=1', rb'm v="a",', rb'm v="a" 5', rb'm v="a"5', rb'm v="#"',
    'm v="größe \u6e29"'.encode(), b'm v="a\tb"', b'm v="a\0b"',
    b'm v="a\nb"', b'm v="a\nb",w=2', b'm v="a\n\nb" 5', b'm v="\n"', b'm v="a\n# b"\nn w=1', b'm v="a\\\nb"',
    b'm v="a\\"\nb"', rb'm v="true"', rb'm v="1"',
    rb'm v="%s"' % (b"s" * 1000), rb'm a\"="b"', rb'm "v"="w"', rb'm "v="w"', rb'm a="b"=c', b'm v="\\', b'm v="a\\',
    b'm v="a"\\', rb'm v="a"\\', rb'm v="\"a\""',
    rb'm v="{\"k\": [1, 2]}",w=1',
]
SPELLINGS = """
    0 1 -1 1.5 -1.5 .5 -.5 1. -1. 0.0 -0 -0.0 00 007 00012.50 0000000000000000000000001 123456789 1e5 1E5 1e+5 1E-5
    -1e-5 1.e3 .5e1 1.5e300 1e22 1e23 1e308 1.7976931348623157e308 1.7976931348623158e308 1.7976931348623159e308 1e309
    -1e309 1e400 1e-308 4.9e-324 2.4703282292062327e-324 2.4703282292062328e-324 1e-400 0e999999999
    1e99999999999999999999 1e-99999999999999999999 0.1 0.30000000000000004 9007199254740993 9007199254740993.0
    23.456789012345678 123456789012345678901234567890 18446744073709551616 0.000000000000000000000000000001 -273.15
    6.02214076e23 +1 +1.5 - . -. + e5 .e5 -e5 1e 1e+ 1e- 1ee5 1e5. 1.2.3 1..2 --1 -+1 1- 1-1 1+1 1_000 0x10 0b1 0o7 1d5
    1f 1f5 1,5 1.5.i 1e5e5 1e1.5 1e+-5 nan NaN NAN inf Inf -inf +inf Infinity -Infinity null none nil n N 0i 1i -1i -0i
    007i 42i 9223372036854775807i -9223372036854775808i 9223372036854775808i -9223372036854775809i
    99999999999999999999999i 9007199254740993i 00000000000000000000009007199254740993i 1.5i 1.i .i 1e5i i -i +1i 1ii
    1i1 9i1 1I 1iu 1l t T true True TRUE f F false False FALSE tRUE tr tru truee TRUe fALSE fal FALSe falsee tt ff yes
    no on off y Y \\1 1\\ 1\\i "1 1" '1' 1% 1kW 1:2 1/2 (1) 1a 1\\,2 \\t t\\ ti fi truei 1t 1true true1 - 1 00i 0.i
    -.5i
    """.split()
TIMES = [
    (b"m v=1 %s", (NOW, b"%d123456789" % AT_S, b"%d999999999" % AT_S, b"0", b"-0", b"1", b"-1", b"007",
    b"00000000000000000000000000000007", b"1600000000000000000",
                   b"4102444800000000000", b"9223372036854775806", b"9223372036854775807", b"9223372036854775808",
                   b"-9223372036854775806",
                   b"-9223372036854775807", b"-9223372036854775808", b"99999999999999999999", b"18446744073709551616", b"-",
                   b"+", b"+7", b"--7", b"7-", b"7.0",
                   b"1e9", b"7i", b"0x7", b"7,8", b"7 8", b"7 w=2", b"seven", b"\\7", b"7\\", b'"7"', b"7 # c", b"# c", b"t",
                   b"7 ", b"  7", b"\t7", b"7\t", b"7\0", b"\0007",
                   b"2023-11-14T22:13:20Z")),
]
PRECISIONS = [(precision, b"m v=1,w=2i %s" % stamp) for precision, stamps in (
    ("us", (b"%d000000" % AT_S, b"%d999999" % AT_S, b"9223372036854775", b"9223372036854776", b"-9223372036854775",
    b"-9223372036854776", b"1", b"")),
    ("ms", (b"%d000" % AT_S, b"%d999" % AT_S, b"9223372036854", b"9223372036855", b"-9223372036854", b"-9223372036855", b"1",
    b"")),
    ("s", (b"%d" % AT_S, b"%d" % (AT_S + 1), b"%d" % (AT_S - 1), b"%d" % (AT_S + 9), b"9223372036", b"9223372037",
    b"-9223372036", b"-9223372037", b"0", b"")))
              for stamp in stamps]
LINES = [
    b"", b"\n", b"\n\n\n", b" ", b"\t", b" \n\t\n", b"\0", b"#", b"# c", b" # c", b"\t# c", b"#m v=1", b"##", b"# c\n",
    b"# c\nm v=1", b" # c\nm v=1", b"m v=1\n# c", b"m v=1\n# c\n",
    b"m v=1\n", b"m v=1\n\n", b"\nm v=1", b"\n\n m v=1\n \n", b"m v=1 # c", b"m v=1\nn v=2", b"m v=1 5\nn v=2 6\no v=3 7\n",
    b"m\nn v=1", b"m v=1\nn", b"m v=x\nn v=1\no v=\np v=2\n",
    b"m v\nn w\n", b"m\n\n# c\nn v=1", b"m v=1\n#n v=2\no v=3", b'm v="a\nb"\nn v=2', b'm,t="a v=1\nn,t=b" v=2',
    b"m\\\nn v=1", b"m,t=a\\\nb v=1", b"m v\\\nw=1", b"m v=1\\\n", b"m v=1 5\\\n", b"m v=1 \\\n",
    b"m v=1\x0b", b"m v=1\x0c", b"m,site=a v=1\nm,site=b v=2\nm v=3", b"m,site=a v=1\nm,site=b v=\nm v=3",
    b"m v=1\n\0\nn v=2", b"m v=1\n \t# c\nn v=2", b"m v=1 1\nm v=2 2\nm v=3 " + NOW,
    b"m v=1,\nn w=2", b"m v=1 5 6\nn w=2", b",\nn w=2", b"=\nn w=2", b"m,t=\nn w=2", b'm v="a"\nn w="b"\n',
    b"m v=1\n\\\nn w=2", b"m v\n=1", b"m v=\n1", b"m\nv=1", b'm v="a"\r\n',
]
# Payload, and what to give InfluxDB in its place; None: it is refused; a list: the readings, as (name, value).
DIFFERENCES = {
    "a \\r before the newline belongs to the end of the line; InfluxDB refuses such a line": [
        (b"m v=1\r\n", b"m v=1\n"), (b"m v=1\r\nn w=2\r\n", b"m v=1\nn w=2\n"), (b"m v=1 5\r\n", b"m v=1 5\n"),
        (b"m v=t\r\n\r\n# c\r\nn v=1i\r\n", b"m v=t\n\n# c\nn v=1i\n")],
    "a comment ends at its newline, as published; InfluxDB lets a quote or a backslash carry it on": [
        (b'# it ="s\nm v=1\n# "\n', b"m v=1\n"), (b"# c\\\nm v=1", b"m v=1")],
    "a quote that never closes costs its line; InfluxDB gives up the rest of the datagram": [
        (b'm v="a\nn v=1', b"m v=\nn v=1"), (b'm v="a\nn v=1\no v=2', b"m v=\nn v=1\no v=2"), (b'm v=1\nn v="a\\"\no v=2',
        b"m v=1\nn v=\no v=2")],
    "unsigned integers are taken; InfluxDB 1.x takes them only when built to": [
        (b"m v=1u", b"m v=1i"), (b"m v=0u,w=007u", b"m v=0i,w=7i"), (b"m v=9223372036854775807u 5",
        b"m v=9223372036854775807i 5"),
        (b"m v=18446744073709551615u", b"m v=18446744073709551615")],
    "a field with an empty key, which InfluxDB accepts behind a tab and then skips, is malformed": [(b"m \t=1", None),
    (b"m \0=1", None)],
    "raw names are bounded to 255 bytes": [(b"m" * 260 + b" v=1", None), (b"m v=1," + b"f" * 260 + b"=1", None)],
    "`time` is a field and a tag as any other; InfluxDB keeps the name for itself": [
        (b"m time=1,f=2", [("m.time", 1.0), ("m.f", 2.0)]), (b"m time=1", [("m.time", 1.0)]),
        (b"m,time=3 f=1", [("m.f", 1.0)])],
    "each field counts; of those of one name InfluxDB keeps the last": [
        (b"m v=1,v=2", [("m.v", 1.0), ("m.v", 2.0)]), (b"m v=1,w=3,v=1", [("m.v", 1.0), ("m.w", 3.0), ("m.v", 1.0)])],
    "each point counts; of those of one series and time InfluxDB keeps the last": [
        (b"m v=1 %s\nm v=2 %s" % (NOW, NOW), [("m.v", 1.0), ("m.v", 2.0)])],
}
def table():
    """(precision, payload) of all that are to be read alike."""
    cases = [("ns", payload) for group in (MEASUREMENTS, TAGS, SITES, FIELDS, STRINGS, LINES) for payload in group]
    cases += [("ns", b"m v=%s" % spelling.encode()) for spelling in SPELLINGS]
    cases += [("ns", b"m a=%s,b=1 5" % spelling.encode()) for spelling in SPELLINGS[::3]]
    cases += [("ns", form % stamp) for form, stamps in TIMES for stamp in stamps]
    return cases + PRECISIONS


def word(rng):
    text = b"".join(rng.choice((b"a", b"b", b"1", b".", b"_", b"-", b"\\,", b"\\ ", b"\\=", b"\\x", b'"', b"#",
    b"\xc3\xa4")) for _ in range(rng.randint(1, 6)))
    return b"w" + text + b"z"


def value(rng):
    kind = rng.randrange(4)
    if kind == 0:
        return rng.choice(SPELLINGS).encode()
    if kind == 1:
        return b"%di" % rng.randint(-2 ** 63, 2 ** 63 - 1)
    if kind == 2:
        return repr(rng.uniform(-1, 1) * 10.0 ** rng.randint(-300, 300)).encode()
    return b'"%s"' % b"".join(rng.choice((b"a", b" ", b",", b"=", b'\\"', b"\\\\", b"\\x",
    b"#")) for _ in range(rng.randrange(6)))


def generated_line(rng):
    line = word(rng)
    for i in range(rng.choice((0, 0, 1, 3))):
        line += b",%d%s=%s" % (i, word(rng), word(rng))
    line += b" " + b",".join(b"%d%s=%s" % (i, word(rng), value(rng)) for i in range(rng.randint(1, 4)))
    if rng.random() < 0.5:
        line += b" %d%09d" % (AT_S, rng.randrange(10 ** 9))
    for _ in range(rng.choice((0, 0, 1, 1, 2, 5))):
        at = rng.randrange(len(line))
        line = line[:at] + rng.choice((b"", b",", b" ", b"=", b"\\", b'"', b"a", b"1", b"-", b".", b"e", b"i", b"t",
        b"#")) + line[at + rng.randrange(2):]
    return line


def is_text(payload):
    """Names that are no UTF-8 stop InfluxDB in its own storage, not in its parser."""
    try:
        payload.decode()
        return True
    except UnicodeDecodeError:
        return False


def generated(count, seed):
    rng, lines = random.Random(seed), []
    while len(lines) < count:
        line = generated_line(rng)
        if is_text(line):
            lines.append(("ns", line))
    return lines
