// Go's crypto/x509 as a reader of CSRs: hexadecimal lines in, verdicts out.
package main

import (
	"bufio"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
)

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for in.Scan() {
		der, err := hex.DecodeString(in.Text())
		if err != nil {
			panic(err)
		}
		if _, err := x509.ParseCertificateRequest(der); err != nil {
			fmt.Fprintln(out, "no", strings.ReplaceAll(err.Error(), "\n", " "))
		} else {
			fmt.Fprintln(out, "ok")
		}
	}
	if err := in.Err(); err != nil {
		panic(err)
	}
}
