#!/bin/sh
# A canary for each lint: it passes a small tree that keeps the rules, and
# fails, saying why, once one rule is broken in it. TAP on standard output.
set -u
src=$(cd "${srcdir:-$(dirname "$0")/..}" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
: "${CC:=cc}"
count=0
failed=0

# A tree that keeps every rule.
reset() {
	rm -rf "${tree:?}"/*
	mkdir "$tree/base" "$tree/policy" "$tree/store" "$tree/tools"
	cp "$src/.clang-format" "$tree/"
	: >"$tree/tools/lint-globals.allow"
	printf '%s\n' '/* An essay. */' '#ifndef CS_BASE_GOOD_H' \
		'#define CS_BASE_GOOD_H' '' 'int cs_good(int x);' '' \
		'#endif' >"$tree/base/good.h"
	printf '%s\n' '#include "base/good.h"' '' \
		'static const char *const words[] = {"a", "b"};' '' \
		'int cs_good(int x)' '{' '	/*= RFC 5280 4.1.2.2 */' \
		'	return words[x & 1][0];' '}' >"$tree/base/good.c"
}

# result STATUS NAME: one line of TAP.
result() {
	count=$((count + 1))
	if [ "$1" = 0 ]; then
		echo "ok $count - $2"
	else
		echo "not ok $count - $2"
		failed=1
	fi
}

compile() {
	(cd "$tree" && for c in */*.c; do
		$CC -std=c17 -I. -fPIE -fno-common -w -c "$c" \
			-o "${c%.c}.o" || exit 1
	done)
}

run() {
	case $1 in
	lint-circles | lint-globals) compile && "$src/tools/$1" "$tree" "$tree" ;;
	lint-headers) CPPFLAGS=-I. COMPILERS=$CC "$src/tools/$1" "$tree" ;;
	*) "$src/tools/$1" "$tree" ;;
	esac
}

# passes TOOL: the tree as it stands is good.
passes() {
	output=$(run "$1" 2>&1)
	result $? "$1 passes what keeps the rules"
}

# catches TOOL WORDS NAME: the tree as it stands is refused with WORDS.
catches() {
	output=$(run "$1" 2>&1)
	status=$?
	if [ "$status" != 0 ] && printf '%s' "$output" | grep -qF -- "$2"; then
		result 0 "$1 catches $3"
	else
		result 1 "$1 catches $3"
		printf '%s\n' "$output" | sed 's/^/# /'
	fi
	reset
}

# put FILE LINE...: replace a file of the tree.
put() {
	file=$tree/$1
	shift
	printf '%s\n' "$@" >"$file"
}

# add FILE LINE...: add to a file of the tree.
add() {
	file=$tree/$1
	shift
	printf '%s\n' "$@" >>"$file"
}

reset

passes lint-layers
add policy/bad.c '#include "store/ledger.h"'
catches lint-layers 'policy/ does not see store/' 'a room that looks sideways'
add base/bad.c '#include "policy/engine.h"'
catches lint-layers 'base/ does not see policy/' 'a room that looks up'
add policy/bad.c '#include <openssl/evp.h>'
catches lint-layers 'belongs to other files' 'OpenSSL in policy/'
add base/bad.c '#include <sqlite3.h>'
catches lint-layers 'belongs to other files' 'SQLite outside store/'
add store/bad.c '#include <event2/event.h>'
catches lint-layers 'belongs to other files' 'libevent in store/'
add policy/bad.c '#include <time.h>'
catches lint-layers 'policy/ is pure' 'a clock in policy/'
add policy/bad.c '#include "base/random.h"'
catches lint-layers 'policy/ is pure' 'chance in policy/'
add base/bad.c '#include "good.h"'
catches lint-layers 'name their folder' 'an include without its folder'
add base/bad.c '#include "tests/lib/test.h"'
catches lint-layers 'only a test' 'test code in a room'
add base/good_test.c '#include "tests/lib/test.h"' '#include <sqlite3.h>'
passes lint-layers
reset

# Two files that call each other through a third.
circle() {
	add base/good.c 'int cs_second(int x);' \
		'int cs_first(int x) { return cs_second(x); }'
	put base/second.c 'int cs_third(int x);' \
		'int cs_second(int x) { return cs_third(x); }'
	put policy/third.c "$1" 'int cs_third(int x) { return cs_good(x); }'
}
put base/second.c 'int cs_good(int x);' \
	'int cs_second(int x) { return cs_good(x); }'
passes lint-circles
circle 'int cs_good(int x);'
catches lint-circles 'policy/third.c needs base/good.c for cs_good' \
	'three files that call each other'
circle 'static int cs_good(int x) { return x; }'
passes lint-circles
reset
catches lint-circles 'no file needs another' 'a tree of one file'

passes lint-headers
put base/good.h '/* E. */' '#ifndef GOOD_H' '#define GOOD_H' '#endif'
catches lint-headers 'the guard is not CS_BASE_GOOD_H' 'a guard of another name'
put base/good.h '#ifndef CS_BASE_GOOD_H' '#define CS_BASE_GOOD_H' '#endif'
catches lint-headers 'the essay is missing' 'a header without its essay'
put base/good.h '/* E. */' '#ifndef CS_BASE_GOOD_H' '#define CS_BASE_GOOD_H' \
	'size_t cs_good(void);' '#endif'
catches lint-headers 'does not compile alone' 'a header that needs another'
put base/good.h '/* E. */' '#ifndef CS_BASE_GOOD_H' '#define CS_BASE_GOOD_H' \
	'#endif' 'struct cs_good { int x; };'
catches lint-headers 'does not compile alone' 'a header that is not guarded'

passes lint-globals
add base/good.c 'int cs_counter;'
catches lint-globals 'cs_counter: a mutable global' 'an exported variable'
add base/good.c 'int cs_next(void) { static int n = 7; return n++; }'
catches lint-globals 'n: a mutable global' 'a static one in a function'
add base/good.c '_Thread_local int cs_mine;'
catches lint-globals 'cs_mine: a mutable global' 'one for each thread'
add base/good.c '#include <string.h>' \
	'void cs_copy(char *a, const char *b) { strcpy(a, b); }'
catches lint-globals 'strcpy: a banned function' 'a call of strcpy'
add base/good.c '#include <stdlib.h>' 'void cs_end(void) { exit(1); }'
catches lint-globals 'exit: a banned function' 'exit outside its owner'
add base/good.c 'int cs_counter;'
add tools/lint-globals.allow 'global base/good.o cs_counter counts'
passes lint-globals
reset
add tools/lint-globals.allow 'global base/good.o cs_gone counted'
catches lint-globals 'allows what is not there' 'an allowance that is stale'
add tools/lint-globals.allow 'global base/good.o cs_counter'
catches lint-globals 'not KIND OBJECT SYMBOL reason' 'one without a reason'

if clang-format-14 --version >/dev/null 2>&1; then
	passes lint-format
	add base/good.c 'int cs_ugly ( void ) ;'
	catches lint-format 'clang-format' 'what clang-format would change'
fi
add base/good.c '' '/* TO''DO: later */'
catches lint-format 'left for later' 'a mark for later'
add base/good.c '' 'int cs_long(int x)' '{' \
	"$(awk 'BEGIN { for (i = 0; i < 81; i++) print "\tx++;" }')" '}'
catches lint-format 'a function of 81 lines' 'a function that is too long'
add base/good.c "$(awk 'BEGIN { for (i = 0; i < 900; i++) print "/* */" }')"
catches lint-format 'more than 900 lines' 'a file that is too long'

put base/good.c 'int cs_good(int x)' '{' \
	'	CS_CLEANUP(cs_buf_done) struct cs_buf a, b;' \
	'	CS_CLEANUP(cs_mem_free_at) char *p = NULL;' '' \
	'	cs_buf_init(&a, 1);' '	cs_buf_init(&b, 1);' '	return x;' '}'
passes lint-cleanup
put base/good.c 'int cs_good(int x)' '{' \
	'	CS_CLEANUP(cs_buf_done) struct cs_buf a, b;' '' \
	'	cs_buf_init(&a, 1);' '	if (x)' '		return x;' \
	'	cs_buf_init(&b, 1);' '	return x;' '}'
catches lint-cleanup 'b is released at line 7' 'a return before a value'
put base/good.c 'int cs_good(int x)' '{' \
	'	CS_CLEANUP(cs_mem_free_at) char *p;' '' '	return x;' '}'
catches lint-cleanup 'p is released at line 5' 'a pointer never set'

passes spec-trace
output=$(run spec-trace)
case $output in
*'RFC 5280 4.1.2.2: no test'*) result 0 'spec-trace lists an untested clause' ;;
*) result 1 'spec-trace lists an untested clause' ;;
esac
add base/good_test.c 'static void obeys_RFC_5280_4_1_2_2(void **state)'
output=$(run spec-trace)
case $output in
*'0 without a test'*) result 0 'spec-trace finds a clause in a test' ;;
*) result 1 'spec-trace finds a clause in a test' ;;
esac
reset
add base/good.c '/*= RFC5280 4.1.2.2 */'
catches spec-trace 'not /*=' 'a quotation of another shape'
add base/good.c 'const char *cs_why = "RFC 5280 section 4.1: no";'
catches spec-trace 'cannot be traced' 'a sentence with a loose citation'
add base/good.c 'const char *cs_why = "RFC5280 4.1: no";'
catches spec-trace 'cannot be traced' 'a citation without its space'

banned() {
	printf '%s\n' '#include <string.h>' 'void cs_f(char *a, char *b);' \
		'void cs_f(char *a, char *b)' '{' '	strcpy(a, b);' '}' |
		$CC -std=c17 -O2 -D_GNU_SOURCE -I"$src" -Werror \
			-include "$src/base/banned.h" -fsyntax-only -x c - 2>&1
}
output=$(banned)
case $output in
*'banned: it has no bound'*) result 0 'base/banned.h catches a call' ;;
*) result 1 'base/banned.h catches a call' ;;
esac

echo "1..$count"
exit "$failed"
