// Asks Go's regexp about random expressions, in the format of RE2's vectors
// (tests/vectors/regex/vectors.c), with `refused` behind an expression that
// is a syntax error.
//
//	go run oracle.go [EXPRESSIONS [SEED]] | regex_vectors -
//
// What is left out: \C, which Go does not have; \B on texts that are not
// ASCII, where Go looks between code points and RE2 between bytes; bytes
// that are not UTF-8, which are code points to Go.
package main

import (
	"bufio"
	"fmt"
	"math/rand"
	"os"
	"regexp"
	"strconv"
	"strings"
)

var tokens = strings.Split("a b c A B k s 0 _ - é Σ σ ß ☺ ſ \u212a . ^ $ "+
	"| | ( ( ) ) ) (?: (?i) (?i: (?s) (?m) (?s: (?-i) (?U) (?im-s: (?P<n> "+
	"(?<n> (?= (?P= (?i-) * + ? * + ? *? +? ?? {2} {0,2} {1,} {3,1} {2,3}? "+
	"{,2} {0} {1001} {30} [ab] [^a] [a-c\\d] [[:alpha:]] [^[:^alpha:]\\n] "+
	"[[:word:]-] []a] [^]a] [a-] [\\W] [^\\S] [[:lower:]\\pN] [z-a] [[:x:]] "+
	"[Σ-Ω] [^\u212a] \\d \\D \\w \\W \\s \\S \\b \\B \\A \\z \\pL \\PL \\pN "+
	"\\p{Greek} \\p{^Lu} \\P{Ll} [\\p{Lu}x] [\\P{Lu}] \\p{Zs} \\p{No_Such} "+
	"\\x41 \\x{3a3} \\x{} \\x4 \\101 \\0 \\1 \\8 \\n \\t \\Q \\E \\_ \\- \\. "+
	"\\y \\Z \\\\ \\ [ ] { } {2 , 2} \n", " ")

var letters = []string{"a", "b", "c", "A", "B", "k", "K", "s", "0", "_", "-",
	" ", "\n", "é", "Σ", "σ", "ς", "ß", "☺", "ſ", "\u212a", "Ω"}

var rng *rand.Rand

func pick(from []string, n int) string {
	var b strings.Builder
	for ; n > 0; n-- {
		b.WriteString(from[rng.Intn(len(from))])
	}
	return b.String()
}

func mark(matched bool) string {
	if matched {
		return "0-0"
	}
	return "-"
}

func number(at, otherwise int) int {
	if len(os.Args) > at {
		if n, err := strconv.Atoi(os.Args[at]); err == nil {
			return n
		}
	}
	return otherwise
}

func main() {
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	expressions := number(1, 200000)
	rng = rand.New(rand.NewSource(int64(number(2, 1))))
	var texts []string
	for i := 0; i < expressions; i++ {
		if i%1000 == 0 {
			texts = texts[:0]
			fmt.Fprintln(out, "strings")
			for len(texts) < 30 {
				text := pick(letters[:11+rng.Intn(12)], rng.Intn(7))
				texts = append(texts, text)
				fmt.Fprintf(out, "%q\n", text)
			}
			fmt.Fprintln(out, "regexps")
		}
		pattern := pick(tokens, 1+rng.Intn(9))
		part, err := regexp.Compile(pattern)
		// Most are errors; a part of them is enough.
		for err != nil && rng.Intn(4) > 0 {
			pattern = pick(tokens, 1+rng.Intn(9))
			part, err = regexp.Compile(pattern)
		}
		fmt.Fprintf(out, "%q\n", pattern)
		if err != nil {
			fmt.Fprintln(out, "refused")
			continue
		}
		full, err := regexp.Compile(`\A(?:` + pattern + `)\z`)
		for _, text := range texts {
			// An open \Q takes the end in, and \B depends on bytes.
			if err != nil || strings.Contains(pattern, `\Q`) ||
				strings.Contains(pattern, `\B`) &&
					len(text) != len([]rune(text)) {
				fmt.Fprintln(out, "?")
				continue
			}
			f, p := mark(full.MatchString(text)), mark(part.MatchString(text))
			fmt.Fprintf(out, "%s;%s;%s;%s\n", f, p, f, p)
		}
	}
}
