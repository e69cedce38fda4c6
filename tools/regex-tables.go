// Writes the tables of policy/regex: Unicode's general categories, scripts
// and simple case folding, as C, from the tables of the Go distribution.
//
//	go run tools/regex-tables.go classes >policy/regex_unicode.c
//	go run tools/regex-tables.go folding >policy/regex_folding.c
//
// The tables are checked in; building needs no Go.
package main

import (
	"bufio"
	"fmt"
	"os"
	"sort"
	"strings"
	"unicode"
)

var out = bufio.NewWriter(os.Stdout)

// Numbers, as many to a line as fit.
type table struct {
	line string
}

func (t *table) add(text string) {
	if len(t.line)+1+len(text) > 71 {
		t.flush()
	}
	if t.line != "" {
		t.line += " "
	}
	t.line += text
}

func (t *table) flush() {
	if t.line != "" {
		fmt.Fprintf(out, "\t%s\n", t.line)
	}
	t.line = ""
}

// Each run of code points in the class: the distance of its first from the
// end of the one before, and how many follow the first.
func (t *table) class(in *unicode.RangeTable) int {
	count := 0
	end := rune(0)
	for c := rune(0); c <= unicode.MaxRune; c++ {
		if !unicode.Is(in, c) {
			continue
		}
		last := c
		for last < unicode.MaxRune && unicode.Is(in, last+1) {
			last++
		}
		t.add(fmt.Sprintf("%d, %d,", c-end, last-c))
		count++
		end = last + 1
		c = last
	}
	t.flush()
	return count
}

func head() {
	fmt.Fprintf(out, `/*
 * Written by tools/regex-tables.go; do not edit.
 *
 * Facts of the Unicode Character Database, version %s.
 * Copyright 1991-2022 Unicode, Inc., under the Unicode License v3:
 * https://www.unicode.org/license.txt
 */
#include "policy/regex_tables.h"

/* clang-format off */
`, unicode.Version)
}

func classes() {
	names := []string{}
	tables := map[string]*unicode.RangeTable{}
	for name, table := range unicode.Categories {
		if len(name) == 2 && name != "LC" {
			tables[name] = table
			names = append(names, name)
		}
	}
	for name, table := range unicode.Scripts {
		tables[name] = table
		names = append(names, name)
	}
	sort.Strings(names)
	head()
	fmt.Fprintf(out, "const uint32_t cs_regex_unicode_runs[] = {\n")
	rows := []string{}
	first := 0
	for _, name := range names {
		var t table
		n := t.class(tables[name])
		rows = append(rows, fmt.Sprintf("{%q, %d, %d},", name, first, n))
		first += 2 * n
	}
	fmt.Fprintf(out, "};\n\nconst struct cs_regex_unicode "+
		"cs_regex_unicode_classes[] = {\n")
	var t table
	for _, row := range rows {
		t.add(row)
	}
	t.flush()
	fmt.Fprintf(out, "};\nconst size_t cs_regex_unicode_n = %d;\n",
		len(rows))
}

func folding() {
	head()
	fmt.Fprintf(out, "const struct cs_regex_fold cs_regex_folds[] = {\n")
	var t table
	n := 0
	for c := rune(0); c <= unicode.MaxRune; c++ {
		if next := unicode.SimpleFold(c); next != c {
			t.add(fmt.Sprintf("{%d, %d},", c, next-c))
			n++
		}
	}
	t.flush()
	fmt.Fprintf(out, "};\nconst size_t cs_regex_folds_n = %d;\n", n)
}

func main() {
	switch strings.Join(os.Args[1:], " ") {
	case "classes":
		classes()
	case "folding":
		folding()
	default:
		fmt.Fprintln(os.Stderr, "usage: regex-tables classes|folding")
		os.Exit(2)
	}
	if out.Flush() != nil {
		os.Exit(1)
	}
}
