// What approver-policy itself says of a policy and of requests. Built inside a
// copy of its module, whose evaluators are internal: see module.mk.
//
// Each line of standard input is {"spec": {...}, "requests": [...]}, requests
// in the short form of a native policy's tests; each line of standard output
// is a list of booleans: approved, or not.
package main

import (
	"bufio"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"log"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	policyapi "github.com/cert-manager/approver-policy/pkg/apis/policy/v1alpha1"
	"github.com/cert-manager/approver-policy/pkg/approver"
	"github.com/cert-manager/approver-policy/pkg/internal/approver/allowed"
	"github.com/cert-manager/approver-policy/pkg/internal/approver/constraints"
)

type request struct {
	DNS, IP, URI, Email []string
	Subject             map[string]string
	Usages              []string
	IsCA                bool `json:"is_ca"`
	Duration, Key       string
}

type question struct {
	Spec     policyapi.CertificateRequestPolicySpec
	Requests []request
}

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}

// Keys are made once of each kind.
var keys = map[string]crypto.Signer{}

func keyOf(kind string) crypto.Signer {
	if key, ok := keys[kind]; ok {
		return key
	}
	var key crypto.Signer
	switch kind {
	case "EC P-256":
		key = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	case "EC P-384":
		key = must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	case "EC P-521":
		key = must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader))
	case "RSA 2048":
		key = must(rsa.GenerateKey(rand.Reader, 2048))
	case "RSA 3072":
		key = must(rsa.GenerateKey(rand.Reader, 3072))
	case "RSA 4096":
		key = must(rsa.GenerateKey(rand.Reader, 4096))
	case "Ed25519":
		_, k, err := ed25519.GenerateKey(rand.Reader)
		key = must(k, err)
	default:
		log.Fatalf("no such key: %q", kind)
	}
	keys[kind] = key
	return key
}

func list(text string) []string {
	if text == "" {
		return nil
	}
	return []string{text}
}

func csr(r request) []byte {
	template := &x509.CertificateRequest{
		DNSNames: r.DNS, EmailAddresses: r.Email,
		Subject: pkix.Name{
			CommonName:         r.Subject["commonName"],
			Organization:       list(r.Subject["organization"]),
			Country:            list(r.Subject["country"]),
			OrganizationalUnit: list(r.Subject["organizationalUnit"]),
			Locality:           list(r.Subject["locality"]),
			Province:           list(r.Subject["stateOrProvince"]),
			StreetAddress:      list(r.Subject["streetAddress"]),
			PostalCode:         list(r.Subject["postalCode"]),
		}}
	for _, text := range r.IP {
		template.IPAddresses = append(template.IPAddresses,
			net.ParseIP(text))
	}
	for _, text := range r.URI {
		template.URIs = append(template.URIs, must(url.Parse(text)))
	}
	der := must(x509.CreateCertificateRequest(rand.Reader, template,
		keyOf(r.Key)))
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST",
		Bytes: der})
}

func approves(spec policyapi.CertificateRequestPolicySpec, r request) bool {
	policy := &policyapi.CertificateRequestPolicy{Spec: spec}
	cr := &cmapi.CertificateRequest{Spec: cmapi.CertificateRequestSpec{
		Request: csr(r), IsCA: r.IsCA}}
	for _, word := range r.Usages {
		cr.Spec.Usages = append(cr.Spec.Usages, cmapi.KeyUsage(word))
	}
	if r.Duration != "" {
		cr.Spec.Duration = &metav1.Duration{
			Duration: must(time.ParseDuration(r.Duration))}
	}
	for _, evaluator := range []approver.Interface{allowed.Approver(),
		constraints.Approver()} {
		response := must(evaluator.Evaluate(context.Background(), policy,
			cr))
		if response.Result == approver.ResultDenied {
			return false
		}
	}
	return true
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<24)
	out := json.NewEncoder(os.Stdout)
	for in.Scan() {
		var q question
		if err := json.NewDecoder(strings.NewReader(
			in.Text())).Decode(&q); err != nil {
			log.Fatal(err)
		}
		answers := []bool{}
		for _, r := range q.Requests {
			answers = append(answers, approves(q.Spec, r))
		}
		if err := out.Encode(answers); err != nil {
			log.Fatal(err)
		}
	}
}
