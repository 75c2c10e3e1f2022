"""The command lines that `record_text_cases.py` puts to the GNU tools, by what they read."""

from dataclasses import dataclass, field

FILES = {
    "three.txt": "one\ntwo\nthree\n",
    "twelve.txt": "".join(f"line {n}\n" for n in range(1, 13)),
    "unended.txt": "alpha\nbeta\ngamma",
    "empty.txt": "",
    "nul.bin": "a\0b\nc\0\0d\n",
    "bytes.bin": "caf\udce9\n\udcff\udcfe tail\nplain\n",
    "blank.txt": "\n\na\n\n\n\nb\t c \n\n",
    "control.txt": "tab\there\x01\x7f\r\nreturn\r\n",
    "utf8.txt": "na\u00efve caf\u00e9\n\u65e5\u672c\u8a9e text\n\u00c9COLE\n",
    "fields.tsv": "a\tb\tc\nd\te\tf\nno tabs here\ng\t\th\n",
    "passwd": "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1::/usr/sbin:/bin/false\nbin:x:2:2:bin:/bin:/bin/false\n",
    "numbers.txt": "10\n9\n-3\n2.5\n2.50\n  7\nabc\n0\n1e3\n+5\n",
    "sizes.txt": "1K\n900\n2M\n1.5K\n3G\n512\n-1K\n0\n",
    "months.txt": "mar\nJAN\ndec\nfoo\nFeb 2\n",
    "versions.txt": "a-1.10.tar.gz\na-1.9.tar.gz\na-1.2~rc1\na-1.2\nb-0.1\n.hidden\n1.0.10\n1.0.9\n",
    "mixed.txt": "banana\nApple\ncherry\napple\nBanana\n-dash\n_under\n",
    "keys.txt": "b 3 x\na 10 y\nc 3 a\na 2 z\nb 20\n",
    "colons.txt": "x:3:b\ny:1:a\nz:2:c\nx:3:a\n",
    "runs.txt": "a\na\nb\nc\nc\nc\nA\na\n",
    "runs2.txt": "1 apple\n2 apple\n3 pear\n4 Pear\n5 pear\n",
    "prose.txt": "The quick brown fox\njumps over the lazy dog.\nThe dog barks; the fox runs.\n\nfoo_bar foo-bar foobar\n"
    "aa bb abab abba\n(parens) [brackets] {braces}\na.b*c^d$e\\f|g+h?i\n",
    "patterns.txt": "fox\n^aa\n",
    "globs.txt": "*.log\n",
    "tree/a.txt": "needle in a\n",
    "tree/b.log": "needle in b\n",
    "tree/sub/c.txt": "nothing\nneedle in c\n",
    "sums.txt": "b5a2c96250612366ea272ffac6d9744aaf4b45aacd96aa7cfcb931ee3b558259  one.txt\n",
    "spaced name.txt": "spaced\n",
}


@dataclass(frozen=True, slots=True)
class Group:
    """Command lines, one a line, that read the same standard input in the same environment."""

    commands: str
    stdin: str = ""
    environment: dict[str, str] = field(default_factory=dict)


GROUPS = [
    Group(
        r"""
cat three.txt
cat three.txt unended.txt three.txt
cat -n three.txt unended.txt three.txt
cat -b blank.txt
cat -s blank.txt
cat -sn blank.txt
cat -E blank.txt
cat -T blank.txt
cat -A control.txt
cat -v bytes.bin
cat -e control.txt
cat -t control.txt
cat -E control.txt
cat nul.bin
cat -v nul.bin
cat nosuch
cat nosuch three.txt
cat .
cat --show-all blank.txt
cat --number --squeeze-blank blank.txt
cat -Z three.txt
cat --nosuch
cat --number=3 three.txt
cat --show three.txt
cat empty.txt
cat -n empty.txt
cat -- three.txt
cat "no such file"
cat "it's"
cat -u three.txt
"""
    ),
    Group("cat\ncat -\ncat -n - three.txt\ncat three.txt - \ncat -A", stdin="from stdin\nand \u00e9 more"),
    Group(
        r"""
echo
echo hello world
echo -n hello
echo -e 'a\tb\nc'
echo -e 'x\cy'
echo -e '\x41\x4a\0101\101'
echo -E 'a\tb'
echo -ne 'a\n'
echo -x hello
echo -- hello
echo - hello
echo -e '\\ \a \b \e \f \r \v'
echo -e '\q \x \0'
echo -neE 'a\n'
echo 'a\tb'
echo a '' b
"""
    ),
    Group(
        r"""
head twelve.txt
head -n 3 twelve.txt
head -n3 twelve.txt
head -3 twelve.txt
head -n -3 twelve.txt
head -n -20 twelve.txt
head -n -0 twelve.txt
head -n 0 twelve.txt
head -c 10 twelve.txt
head -c -10 twelve.txt
head -c -0 three.txt
head -c 1K three.txt
head -c 5 three.txt unended.txt
head -n 1 three.txt twelve.txt
head -qn 1 three.txt twelve.txt
head -v -n 1 three.txt
head -n 1 nosuch three.txt
head -n x three.txt
head -c -x three.txt
head -n 2 unended.txt
head -n 3 unended.txt
head -n -1 unended.txt
head -5q twelve.txt three.txt
head --lines=2 twelve.txt
head --bytes=4 twelve.txt
head --lines twelve.txt
head -z -n 1 nul.bin
head .
head -5x twelve.txt
head -c 3b three.txt
"""
    ),
    Group("head\nhead -n 1 -\nhead -n -1\nhead -c -3\nhead -n 1 - three.txt", stdin="s1\ns2\ns3\n"),
    Group(
        r"""
tail twelve.txt
tail -n 3 twelve.txt
tail -n +3 twelve.txt
tail -n +0 three.txt
tail -n +1 three.txt
tail -n +99 three.txt
tail -n 0 three.txt
tail -c 5 three.txt
tail -c +5 three.txt
tail -c 100 three.txt
tail -3 twelve.txt
tail +3 three.txt
tail -5c three.txt
tail -n 1 unended.txt
tail -n 2 unended.txt
tail -n 2 three.txt unended.txt
tail -qn 1 three.txt unended.txt
tail -v -n 1 three.txt
tail nosuch
tail -n x three.txt
tail -n 1 nosuch three.txt
tail -z -n 1 nul.bin
tail .
tail -n -2 three.txt
tail --lines=1 three.txt
tail -s abc three.txt
tail empty.txt
"""
    ),
    Group("tail -n 1\ntail -n +2\ntail -c 4\ntail -c +4\ntail -n 1 - three.txt\ntail -n 0", stdin="p1\np2\np3\n"),
    Group(
        r"""
wc three.txt
wc -l three.txt
wc -w prose.txt
wc -c three.txt
wc -m three.txt
wc -L prose.txt
wc three.txt twelve.txt
wc -l three.txt twelve.txt nosuch
wc -lwcmL prose.txt
wc -wl unended.txt
wc empty.txt
wc nul.bin
wc bytes.bin
wc -L blank.txt
wc nosuch
wc -x three.txt
wc .
wc --lines three.txt
wc --max-line-length three.txt utf8.txt
wc utf8.txt
wc -mw control.txt
wc -c three.txt prose.txt
"""
    ),
    Group("wc\nwc -\nwc -l\nwc -c\nwc - three.txt\nwc -lw -", stdin="in one\ntwo\n"),
    Group(
        "wc utf8.txt\nwc -m utf8.txt\nwc -L utf8.txt\nwc -lwmcL utf8.txt\nwc bytes.bin\nwc -m bytes.bin",
        environment={"LC_ALL": "C.UTF-8"},
    ),
    Group(
        r"""
sort mixed.txt
sort -f mixed.txt
sort -r mixed.txt
sort -fr mixed.txt
sort -d mixed.txt
sort -u runs.txt
sort -fu mixed.txt
sort -n numbers.txt
sort -nr numbers.txt
sort -g numbers.txt
sort -nu numbers.txt
sort -h sizes.txt
sort -hr sizes.txt
sort -M months.txt
sort -V versions.txt
sort -k2 keys.txt
sort -k2n keys.txt
sort -k2,2n -k1,1 keys.txt
sort -k2,2nr keys.txt
sort -k1,1 -k2,2n keys.txt
sort -k1,1 -s keys.txt
sort -k 2.2,2.2 keys.txt
sort -t: -k2 colons.txt
sort -t: -k2,2 -k3,3r colons.txt
sort -t : -k 3 colons.txt
sort -t: -k2,2 -u colons.txt
sort -t: -k2n,2 passwd
sort -t: -rnk3 passwd
sort -b -k2 keys.txt
sort -b numbers.txt
sort -k2b,2 keys.txt
sort -c three.txt
sort -c mixed.txt
sort -C mixed.txt
sort -cu runs.txt
sort -c twelve.txt
sort -m three.txt mixed.txt
sort -o sorted.out three.txt
sort three.txt twelve.txt
sort unended.txt
sort -z nul.bin
sort nosuch
sort -k0 keys.txt
sort -kx keys.txt
sort -t ab keys.txt
sort -k1.0 keys.txt
sort -gn numbers.txt
sort -hn numbers.txt
sort --key=2 keys.txt
sort --reverse --numeric-sort numbers.txt
sort --sort=month months.txt
sort --sort=nosuch months.txt
sort -Q three.txt
sort -i control.txt
sort empty.txt
sort -k2,1 keys.txt
sort -k1,1.1 keys.txt
sort -sr -k1,1 keys.txt
sort -r -k2,2 keys.txt
sort -ub -k2,2 keys.txt
sort -c three.txt mixed.txt
sort -cC three.txt
sort -k3 keys.txt
sort -t '\0' three.txt
sort bytes.bin
"""
    ),
    Group("sort\nsort -\nsort -r\nsort -u\nsort -c\nsort -n -o out.txt", stdin="b\na\nc\na\n"),
    Group(
        r"""
uniq runs.txt
uniq -c runs.txt
uniq -d runs.txt
uniq -u runs.txt
uniq -D runs.txt
uniq -i runs.txt
uniq -ci runs.txt
uniq -f 1 runs2.txt
uniq -f1 -i runs2.txt
uniq -s 2 runs2.txt
uniq -w 1 runs.txt
uniq -1 runs2.txt
uniq -dc runs.txt
uniq -du runs.txt
uniq --all-repeated=separate runs.txt
uniq --all-repeated=prepend runs.txt
uniq --group runs.txt
uniq --group=both runs.txt
uniq --group=append runs.txt
uniq -c --group runs.txt
uniq -cD runs.txt
uniq unended.txt
uniq nosuch
uniq runs.txt copy.out
uniq -f x runs.txt
uniq a b c
uniq -s 1 -w 2 runs2.txt
uniq -z nul.bin
uniq --count runs.txt
"""
    ),
    Group("uniq\nuniq -c -\nuniq - out.txt", stdin="x\nx\ny\n"),
    Group(
        r"""
cut -f1 fields.tsv
cut -f2- fields.tsv
cut -f-2 fields.tsv
cut -f1,3 fields.tsv
cut -sf2 fields.tsv
cut -d: -f1,7 passwd
cut -d : -f 3-5 passwd
cut -d: -f1 --complement passwd
cut -d: -f1,3 --output-delimiter=, passwd
cut -d: -f3,1 passwd
cut -b1-3 three.txt
cut -c2 three.txt
cut -c2- three.txt
cut -b1,3,5- twelve.txt
cut -b1-2,4-5 --output-delimiter=: twelve.txt
cut -b2,1-2 --output-delimiter=: twelve.txt
cut --complement -b2 three.txt
cut -c1 utf8.txt
cut three.txt
cut -f three.txt
cut -f0 three.txt
cut -f3-1 three.txt
cut -fx three.txt
cut -f- three.txt
cut -b0 three.txt
cut -b1 -f1 three.txt
cut -d ab -f1 three.txt
cut -d: -b1 three.txt
cut -s -b1 three.txt
cut -f1 nosuch
cut -f1 unended.txt
cut -d '' -f1 three.txt
cut -z -f1 nul.bin
cut -d ' ' -f2 twelve.txt
cut -f 1,2,x fields.tsv
cut -f1 .
cut -b99999999999999999999 three.txt
cut --fields=2 --delimiter=: passwd
"""
    ),
    Group("cut -d, -f2\ncut -c1-3\ncut -d, -f2 -\ncut -f1 -d,", stdin="a,b,c\nno\n1,2,3"),
    Group(
        r"""
tr a-z A-Z
tr '[:lower:]' '[:upper:]'
tr '[:upper:]' '[:lower:]'
tr -d aeiou
tr -d '[:space:]'
tr -s l
tr -s '[:space:]'
tr -s a-z
tr -cd '[:alnum:]'
tr -cs '[:alnum:]' '\n'
tr -c '[:print:]' X
tr abc x
tr a-e xy
tr '[a*]' x
tr a-c '[x*]'
tr a-e '[x*2]y'
tr a-c '[x*2]z'
tr -t a-e xy
tr '\n' ' '
tr '\154' L
tr '\t\n' '  '
tr z-a x
tr
tr a
tr a b c
tr -d a b
tr -ds a
tr -ds aeiou l
tr a ''
tr '[:nosuch:]' x
tr '[:alpha:]' '[:digit:]'
tr a-z '[:upper:]'
tr '[=l=]' L
tr -- -a x
tr 'a\-z' '123'
tr '[:digit:]' x
tr -C a-z .
tr -s a-z A-Z
tr '\\' /
tr -x a b
""",
        stdin="Hello, World!  hello\tall -\n\nbook- keeper 123\\\n",
    ),
    Group(
        r"""
seq 5
seq 2 5
seq 1 2 9
seq 5 1
seq 5 -1 1
seq 5 -2 0
seq 0 0.1 0.5
seq 1 0.5 3
seq -3 3
seq -w 8 11
seq -w 1 100 201
seq -w -5 5 10
seq -w 0 0.25 1
seq -s, 5
seq -s ', ' 3
seq -s '' 3
seq -f %03g 3
seq -f '%.2f' 1 0.5 2
seq -f 'x%gy' 2
seq -f %d 3
seq -f abc 3
seq -f '%g %g' 3
seq -f %% 3
seq 1e3 1002
seq 10000000 10000003
seq 999999999999999998 1000000000000000001
seq
seq 1 2 3 4
seq x
seq 1 0 5
seq 1.5
seq .5 2
seq -1
seq 3 -1
seq nan
seq -w 5 10.5
seq -f %5.1f -s : 2
seq --separator=- 3
seq -w -f %g 3
seq 1 1 1
seq 0.1 0.1 0.3
seq -w .5 10
seq 1e2
seq 0x10 0x12
"""
    ),
    Group(
        r"""
printf 'hello\n'
printf '%s\n' a b c
printf '%s %s\n' a b c
printf '%d %i %u\n' 42 -7 7
printf '%05d|%-5d|%+d|% d\n' 42 42 42 42
printf '%x %X %#x %o %#o\n' 255 255 255 8 8
printf '%e %f %g %G\n' 3.14159 3.14159 0.00001 1e20
printf '%.2f %10.3f|%-10.1f|\n' 3.14159 2.71828 1.5
printf '%c%c%c\n' abc def ''
printf '%10s|%-10s|%.2s\n' abc abc abc
printf '%*d|%-*d|%.*f\n' 5 42 5 42 2 3.14159
printf '%b\n' 'a\tb\0101\n'
printf '%b' 'stop\c' more
printf 'a\cb'
printf '%%\n'
printf '\x41\101\u00e9\U0001F600\n'
printf '\a\b\e\f\n\r\t\v\\\"'
printf '%s\n'
printf '%d\n'
printf '%d\n' 0x1f 017
printf '%d\n' "'A" '"B'
printf '%d\n' abc
printf '%d\n' 12abc
printf '%d\n' 99999999999999999999
printf '%f\n' 1.5x
printf '%z\n' 3
printf '%'
printf
printf x a b
printf -- '%s\n' -n
printf '%q\n' 'a b'
printf '%5%|\n'
printf '%d %s\n' 1 a 2 b 3
printf '%u\n' -1
printf '\q\n'
printf '%ld %lld %hd\n' 1 2 3
printf '%s' 'no newline'
printf "%'d\n" 1234567
printf '%c' ''
printf '%b\n' '\x'
printf '\x'
printf '%#.3g|%+.3e\n' 1 1
printf '%s\n' 'a' ''
"""
    ),
    Group(
        r"""
basename /usr/bin/sort
basename /usr/bin/sort.txt .txt
basename include/stdio.h .h
basename -s .h a/x.h b/y.h
basename -a a/b c/d
basename /
basename //
basename ''
basename a/
basename .txt .txt
basename a b c
basename
basename -z a/b
basename --suffix=.c x.c
dirname /usr/bin/sort
dirname dir1/str dir2/str
dirname stdio.h
dirname /
dirname //a
dirname a/
dirname a//b//
dirname ''
dirname /a
dirname -z a/b
dirname
true
true --nosuch
false
"""
    ),
    Group(
        r"""
test
test ''
test x
test -n ''
test -n x
test -z ''
test -z x
test a = a
test a = b
test a == a
test a != b
test 1 -eq 1
test 1 -eq 01
test ' 1 ' -eq 1
test -1 -lt 0
test 10 -gt 9
test 5 -ge 5
test 5 -le 4
test 3 -ne 3
test 99999999999999999999 -gt 9999999999999999999
test x -eq 1
test -e three.txt
test -f three.txt
test -d three.txt
test -d .
test -s empty.txt
test -s three.txt
test -e nosuch
test -r three.txt
test -L three.txt
test three.txt -ef three.txt
test three.txt -ef empty.txt
test three.txt -nt nosuch
test nosuch -nt three.txt
test nosuch -ot three.txt
test ! x
test ! ''
test ! -f nosuch
test '(' x ')'
test '(' '' ')'
test x -a y
test x -a ''
test '' -o y
test '' -o ''
test x -a y -o ''
test '' -a x -o y
test '(' x -o '' ')' -a ''
test ! x -a y
test -f = -f
test ! = !
test '(' = '('
test -n = x
test x y
test x y z
test a b c d
test -f
test -a
test '('
test '!'
test '(' x
test '(' x -a y
test 1 -eq
test x -a
test ! ! x
test ! ! ! x
test -t 99
test -p three.txt
test -b three.txt -o -c three.txt
test -l abc -eq 3
test -n x -a -n y -a 1 -lt 2
test --help
test -h three.txt
test a = a = a
"""
    ),
    Group(
        r"""
grep fox prose.txt
grep the prose.txt
grep -i the prose.txt
grep -v the prose.txt
grep -n the prose.txt
grep -c the prose.txt
grep -in THE prose.txt
grep -l fox prose.txt three.txt
grep -L fox prose.txt three.txt
grep fox prose.txt three.txt
grep -h fox prose.txt three.txt
grep -H fox prose.txt
grep -o 'fo[a-z]*' prose.txt
grep -on 'o' prose.txt
grep -ob 'fox' prose.txt
grep -w foo prose.txt
grep -w bar prose.txt
grep -ow 'foo[a-z_]*' prose.txt
grep -x two three.txt
grep -x tw three.txt
grep -q fox prose.txt
grep -q nothing prose.txt
grep nothing prose.txt
grep -s x nosuch
grep x nosuch
grep fox nosuch prose.txt
grep -q fox nosuch prose.txt
grep -q fox prose.txt nosuch
grep -e fox -e lazy prose.txt
grep -f patterns.txt prose.txt
grep -f empty.txt prose.txt
grep -vf empty.txt three.txt
grep -E 'fox|dog' prose.txt
grep 'fox\|dog' prose.txt
grep -E '^(The|jumps)' prose.txt
grep -E '(ab){2}' prose.txt
grep '\(ab\)\{2\}' prose.txt
grep -E 'fo+x?' prose.txt
grep 'fo\+x\?' prose.txt
grep -E '\(.*\)' prose.txt
grep '(' prose.txt
grep -F 'a.b*c' prose.txt
grep -F '$e' prose.txt
grep -Fx two three.txt
grep -Fw foo prose.txt
grep -Fi FOX prose.txt
grep 'a\.b\*c\^d' prose.txt
grep '\$e' prose.txt
grep 'dog\.$' prose.txt
grep '^$' prose.txt
grep -c '' prose.txt
grep '[[:upper:]]' prose.txt
grep '[^[:alpha:] ]' prose.txt
grep '[]]' prose.txt
grep '[^]a-z ]' prose.txt
grep '[a-c]b' prose.txt
grep '[b-]o' prose.txt
grep '\<foo\>' prose.txt
grep '\bbar\b' prose.txt
grep 'foo\B' prose.txt
grep '\w\+-\w\+' prose.txt
grep -E '\W\s?\S' prose.txt
grep '\(a\)\(b\)\2\1' prose.txt
grep -E '(.)\1' prose.txt
grep -oE '(.)\1' prose.txt
grep -E '(a|b)(a|b)\2\1' prose.txt
grep -E 'a{2}' prose.txt
grep -E 'a{,1}b' prose.txt
grep -E 'o{2,}' prose.txt
grep -E '{braces' prose.txt
grep '*c' prose.txt
grep -E '*fox' prose.txt
grep 'a*b*' three.txt
grep -o 'x*' three.txt
grep -E '()fox' prose.txt
grep -E 'fox|' three.txt
grep -A1 fox prose.txt
grep -B1 fox prose.txt
grep -C1 lazy prose.txt
grep -1 lazy prose.txt
grep -nA1 'line [29]' twelve.txt
grep -nC1 'line [37]' twelve.txt
grep -c -A1 fox prose.txt
grep -A1 -v line twelve.txt
grep -m1 line twelve.txt
grep -m2 -A1 line twelve.txt
grep -m 1 -c line twelve.txt
grep --group-separator=== -A1 'line [29]' twelve.txt
grep --no-group-separator -A1 'line [29]' twelve.txt
grep -b line twelve.txt
grep -Z -l fox prose.txt
grep --color=never fox prose.txt
grep --color=always fox prose.txt
grep --color=always -n fox prose.txt three.txt
grep --color=always -A1 fox prose.txt
grep -T fox prose.txt
grep a nul.bin
grep -c a nul.bin
grep -a c nul.bin
grep -I a nul.bin
grep -l a nul.bin
grep -z c nul.bin
grep -v x nul.bin
grep plain bytes.bin
grep -a tail bytes.bin
grep beta unended.txt
grep gamma unended.txt
grep -r needle tree/a.txt
grep -E '(' three.txt
grep -E ')' three.txt
grep '\(' three.txt
grep '\)' three.txt
grep '[z-a]' three.txt
grep 'a\' three.txt
grep '\1' three.txt
grep '[[:foo:]]' three.txt
grep '[:space:]' three.txt
grep 'a\{1' three.txt
grep -E 'a{2,1}' three.txt
grep 'a\{1,2,3\}' three.txt
grep
grep -E
grep -A x fox prose.txt
grep -m x fox prose.txt
grep --nosuch fox prose.txt
grep x .
grep -d skip x .
grep --include='*.txt' one three.txt passwd
grep -y FOX prose.txt
grep -nb fox prose.txt
grep -hn one three.txt twelve.txt
grep -ci one three.txt twelve.txt
grep -oi 'THE' prose.txt
grep -vc fox prose.txt
grep -xv two three.txt
grep -wv foo prose.txt
grep -lv one three.txt
grep -e one three.txt -n
grep -- -dash mixed.txt
grep -e -dash mixed.txt
grep -E 'o(n|w)e?$' three.txt
grep -E '^.{3}$' three.txt
grep -E '^(on|two|thr)+e*$' three.txt
grep -x -E 'one|tw' three.txt
grep -w -E 'o|tw|one' three.txt
grep '^\(.*\)$' three.txt
grep -E 'a++' prose.txt
grep -E '(^|x)T' prose.txt
grep 'x\|^T' prose.txt
grep 'a^' prose.txt
grep 'd$e' prose.txt
grep 'c^d' prose.txt
grep -E 'c\^d\$e' prose.txt
grep '\.' prose.txt
grep -E '[.]$' prose.txt
grep -E '[[.a.]]a' prose.txt
grep -E '[[=a=]]a' prose.txt
grep --label=in -H x
"""
    ),
    Group(
        "grep b\ngrep -n b -\ngrep -H b\ngrep -c b - three.txt\ngrep --label=here -H b\ngrep -o .\ngrep -c .",
        stdin="abc\nxyz\nb\n",
    ),
    Group(
        r"""
grep -o 'caf.$' utf8.txt
grep -i 'écolE' utf8.txt
grep -o '\w*' utf8.txt
grep -c . bytes.bin
grep caf bytes.bin
grep -o '^..' utf8.txt
grep -ow 'naïve' utf8.txt
grep -io 'école' utf8.txt
grep -o '[^a-z ]*' utf8.txt
grep -o '[[:alpha:]]*' utf8.txt
grep -E '日.語' utf8.txt
grep -F 日本 utf8.txt
grep -Fi École utf8.txt
""",
        environment={"LC_ALL": "C.UTF-8"},
    ),
    Group(
        r"""
sha256sum three.txt
sha256sum three.txt empty.txt
sha256sum -b three.txt
sha256sum --tag three.txt
sha256sum nosuch
sha256sum nosuch three.txt
sha256sum "spaced name.txt"
sha256sum -c sums.txt
sha256sum -c three.txt
sha256sum -z three.txt
sha256sum --quiet three.txt
sha256sum .
sha256sum --tag -c sums.txt
sha256sum -c --ignore-missing sums.txt
sha256sum -c nosuch
sha256sum bytes.bin nul.bin
"""
    ),
    Group("sha256sum\nsha256sum -\nsha256sum --tag -", stdin="abc"),
    Group(
        "sha256sum -c three.txt -\nsha256sum --check --strict -w three.txt -\nsha256sum --status -c\nsha256sum -c --quiet",
        stdin="4b89afaad5e7d38c4d84c25d09b8d1ba8b1e8ce8f5e2e6f27ad7d6d4d8b0f2b1  three.txt\nrubbish\n"
        "SHA256 (three.txt) = e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n",
    ),
    Group("tee\ntee copy.txt\ntee -a new.txt\ntee one.out two.out\ntee -x", stdin="to all\n"),
    Group(
        r"""
env A=1
env -i A=1 B=2
env -u LC_ALL
env -i
env -0 -i A=1 B=2
env - X=y
env -i --unset=A A=1
env -x
env -u A=B
env -0 cat
env -i A=1 A=2
"""
    ),
    Group(
        r"""
date -u -d @0
date -u -d @1700000000 +%s
date -u -d '2024-02-29 12:34:56' +%F_%T
date -u -d '2024-02-29 12:34:56' '+%a %A %b %B %C %d %e %g %G %H %I %j %k %l %m %M'
date -u -d '2024-02-29 02:04:06' '+%p %P %q %r %R %S %u %U %V %w %W %y %Y %z %:z %::z %:::z %Z'
date -u -d '2024-02-29 12:34:56' '+%D %x %X %c %h %n%t%%'
date -u -d '2021-01-03' '+%G-W%V-%u %g %U %W'
date -u -d '2020-12-31' '+%G-W%V-%u %j'
date -u -d '2024-01-05 03:04:05' '+%-d|%_d|%05d|%-H|%_H|%^a|%^B|%#Z|%#p|%10Y|%-j'
date -u -d '2024-01-05 03:04:05.123456789' '+%N %3N %-N %6N'
date -u -Idate -d '2024-01-05 03:04:05'
date -u -Iseconds -d '2024-01-05 03:04:05'
date -u -I -d @86400
date -u -Ins -d '2024-01-05 03:04:05.5'
date -u --iso-8601=minutes -d @86400
date -u --rfc-3339=seconds -d '2024-01-05 03:04:05'
date -u -R -d '2024-01-05 03:04:05'
date -u -d '2024-01-05T03:04:05+02:00'
date -u -d '2024-01-05T03:04:05Z'
date -u -d '2024-01-31 +1 month' +%F
date -u -d '2024-03-01 -1 day' +%F
date -u -d '2024-01-01 1 week ago' +%F
date -u -d '2024-01-01 10:00 2 hours' +%T
date -u -d '1 Jan 2024' +%F
date -u -d 'Jan 1, 2024' +%F
date -u -d '1/2/2024' +%F
date -u -d '20240102' +%F
date -u -d '2024-01-01 3pm' +%T
date -u -d 'Tue, 02 Jan 2006 15:04:05 +0100' +%F_%T
date -u -d 'rubbish'
date -u -d '2024-02-30'
date -u -d '2024-13-01'
date -u -d '@1.5' +%s.%N
date -u -d '@-1' +%F_%T
date -u -d '1969-12-31 23:59:59' +%s
date -u -d '2024-01-01' +%Q
date -u -d '2024-01-01' '+%'
date -u -d '2024-01-01' x
date -u -d '2024-01-01' +a +b
date -x
date -u -d '2024-01-01' --iso-8601=nosuch
date -r nosuch
date nosuch
date -u -d '9999-12-31 23:59:59' +%s
date -u -d '1600-02-29' '+%s %a'
""",
    ),
    Group(
        "date -d @1700000000\ndate -d @1690000000 '+%F %T %Z %z'\ndate -d '2024-07-01 12:00' +%s\n"
        "date -d '2024-12-01 12:00' +%s\ndate -d '2024-12-01 12:00 UTC' +%T%Z",
        environment={"TZ": "CET-1CEST,M3.5.0,M10.5.0/3"},
    ),
    Group("date -d @1700000000 '+%F %T %Z %:z'", environment={"TZ": "<+0530>-5:30"}),
]
