// What step-ca's own engine says of a policy and of requests; the same lines
// as tests/campaign/import_crp/main.go, with "policy" for "spec".
package main

import (
	"bufio"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"log"
	"net"
	"net/url"
	"os"

	"github.com/smallstep/certificates/authority/policy"
)

type request struct {
	DNS, IP, URI, Email []string
	Subject             map[string]string
}

type question struct {
	Policy   policy.X509PolicyOptions
	Requests []request
}

func allows(engine policy.X509Policy, r request) bool {
	cert := &x509.Certificate{DNSNames: r.DNS, EmailAddresses: r.Email,
		Subject: pkix.Name{CommonName: r.Subject["commonName"]}}
	for _, text := range r.IP {
		cert.IPAddresses = append(cert.IPAddresses, net.ParseIP(text))
	}
	for _, text := range r.URI {
		u, err := url.Parse(text)
		if err != nil {
			log.Fatal(err)
		}
		cert.URIs = append(cert.URIs, u)
	}
	return engine == nil || engine.IsX509CertificateAllowed(cert) == nil
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<24)
	out := json.NewEncoder(os.Stdout)
	for in.Scan() {
		var q question
		if err := json.Unmarshal(in.Bytes(), &q); err != nil {
			log.Fatal(err)
		}
		engine, err := policy.NewX509PolicyEngine(&q.Policy)
		if err != nil {
			log.Fatal(err)
		}
		answers := []bool{}
		for _, r := range q.Requests {
			answers = append(answers, allows(engine, r))
		}
		if err := out.Encode(answers); err != nil {
			log.Fatal(err)
		}
	}
}
